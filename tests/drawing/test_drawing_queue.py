"""The queue of pictures: what is newer replaces what is older, and nobody waits for what nobody wants."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lepbench.drawing.artist import Proceed, Quality, Settings, Shown
from lepbench.drawing.drawing import PageDrawing
from lepbench.drawing.queue import DrawingQueue, Wish
from lepbench.errors import LepbenchError

PATIENCE = 20


class SlowArtist:
    """Draws in steps that a test lets it take."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.started, self.step = threading.Semaphore(0), threading.Semaphore(0)

    def draw(self, drawing: PageDrawing, settings: Settings, quality: Quality, proceed: Proceed) -> Shown:
        self.begun.append(drawing.prompt)
        self.started.release()
        assert self.step.acquire(timeout=PATIENCE)
        if drawing.prompt == "broken":
            raise RuntimeError("no memory")
        if drawing.prompt == "refused":
            raise LepbenchError("nothing is drawn yet", "draw a line")
        proceed(1, 1)
        return Shown({0: Any}, None, 0.0, ())  # type: ignore[dict-item]


class Told:
    """What the queue told, and when it told of an end."""

    def __init__(self) -> None:
        self.ends: list[tuple[str, object]] = []
        self.ended = threading.Semaphore(0)

    def __call__(self, wish: Wish, found: object) -> None:
        if not isinstance(found, tuple):
            self.ends.append((wish.drawing.prompt, found))
            self.ended.release()


@contextmanager
def running() -> Iterator[tuple[DrawingQueue, SlowArtist, Told]]:
    artist, told = SlowArtist(), Told()
    queue = DrawingQueue(artist, told)  # type: ignore[arg-type]
    try:
        yield queue, artist, told
    finally:
        artist.step.release(100)
        queue.close()


def wish(prompt: str, page: str = "one", quality: Quality = "live") -> Wish:
    return Wish(page, 1, quality, PageDrawing(prompt=prompt), Settings(model="any"))


def test_a_newer_wish_replaces_the_older_ones() -> None:
    with running() as (queue, artist, told):
        queue.ask(wish("first"))
        assert artist.started.acquire(timeout=PATIENCE)
        for prompt in ("second", "third"):
            queue.ask(wish(prompt))
        artist.step.release(2)
        assert told.ended.acquire(timeout=PATIENCE)
        assert artist.begun == ["first", "third"]
        assert [prompt for prompt, _ in told.ends] == ["third"]


def test_pages_and_qualities_wait_for_each_other() -> None:
    with running() as (queue, artist, told):
        artist.step.release(3)
        queue.ask(wish("one, live"))
        queue.ask(wish("one, better", quality="better"))
        queue.ask(wish("two, live", page="two"))
        for _ in range(3):
            assert told.ended.acquire(timeout=PATIENCE)
        assert [prompt for prompt, _ in told.ends] == ["one, live", "one, better", "two, live"]


def test_a_page_that_goes_is_forgotten() -> None:
    with running() as (queue, artist, told):
        queue.ask(wish("gone"))
        assert artist.started.acquire(timeout=PATIENCE)
        queue.ask(wish("gone, too", quality="better"))
        queue.ask(wish("there", page="two"))
        queue.forget("one")
        artist.step.release(2)
        assert told.ended.acquire(timeout=PATIENCE)
        assert artist.begun == ["gone", "there"]
        assert [prompt for prompt, _ in told.ends] == ["there"]


def test_an_error_is_told_and_the_next_picture_drawn() -> None:
    with running() as (queue, artist, told):
        artist.step.release(3)
        for number, prompt in enumerate(("broken", "refused", "fine")):
            queue.ask(wish(prompt, page=str(number)))
        for _ in range(3):
            assert told.ended.acquire(timeout=PATIENCE)
        messages = [str(found) for _, found in told.ends[:2]]
        assert messages == [
            "RuntimeError: no memory; choose another method",
            "nothing is drawn yet; draw a line",
        ]
        assert isinstance(told.ends[2][1], Shown)


def test_closing_gives_up_what_is_drawn() -> None:
    artist, told = SlowArtist(), Told()
    queue = DrawingQueue(artist, told)  # type: ignore[arg-type]
    queue.ask(wish("never"))
    assert artist.started.acquire(timeout=PATIENCE)
    artist.step.release()
    queue.close()
    assert [prompt for prompt, _ in told.ends] in ([], ["never"])
