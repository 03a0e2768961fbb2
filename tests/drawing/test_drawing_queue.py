"""The queue of pictures: what is newer replaces what is older, and nobody waits for what nobody wants."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lepbench.drawing.artist import Proceed, Quality, Settings, Shown
from lepbench.drawing.drawing import PageDrawing
from lepbench.drawing.queue import DrawingQueue, PageJob
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


class Listener:
    """What the queue reported, and when a job ended."""

    def __init__(self) -> None:
        self.ends: list[tuple[str, object]] = []
        self.ended = threading.Semaphore(0)

    def __call__(self, job: PageJob, found: object) -> None:
        if not isinstance(found, tuple):
            self.ends.append((job.drawing.prompt, found))
            self.ended.release()


@contextmanager
def running() -> Iterator[tuple[DrawingQueue, SlowArtist, Listener]]:
    artist, heard = SlowArtist(), Listener()
    queue = DrawingQueue(artist, heard)  # type: ignore[arg-type]
    try:
        yield queue, artist, heard
    finally:
        artist.step.release(100)
        queue.close()


def make_job(prompt: str, page: str = "one", quality: Quality = "live") -> PageJob:
    return PageJob(page, 1, quality, PageDrawing(prompt=prompt), Settings(model="any"))


def test_a_newer_job_replaces_the_older_ones() -> None:
    with running() as (queue, artist, heard):
        queue.submit(make_job("first"))
        assert artist.started.acquire(timeout=PATIENCE)
        for prompt in ("second", "third"):
            queue.submit(make_job(prompt))
        artist.step.release(2)
        assert heard.ended.acquire(timeout=PATIENCE)
        assert artist.begun == ["first", "third"]
        assert [prompt for prompt, _ in heard.ends] == ["third"]


def test_pages_and_qualities_wait_for_each_other() -> None:
    with running() as (queue, artist, heard):
        artist.step.release(3)
        queue.submit(make_job("one, live"))
        queue.submit(make_job("one, better", quality="better"))
        queue.submit(make_job("two, live", page="two"))
        for _ in range(3):
            assert heard.ended.acquire(timeout=PATIENCE)
        assert [prompt for prompt, _ in heard.ends] == ["one, live", "one, better", "two, live"]


def test_a_rested_picture_gives_way_to_the_pen_and_one_that_was_asked_for_does_not() -> None:
    with running() as (queue, artist, heard):
        queue.submit(make_job("rested", quality="rested"))
        assert artist.started.acquire(timeout=PATIENCE)
        queue.submit(make_job("asked for", quality="better"))
        queue.submit(make_job("pen"))
        artist.step.release(3)
        for _ in range(2):
            assert heard.ended.acquire(timeout=PATIENCE)
        assert [prompt for prompt, _ in heard.ends] == ["asked for", "pen"]


def test_a_page_that_goes_is_forgotten() -> None:
    with running() as (queue, artist, heard):
        queue.submit(make_job("gone"))
        assert artist.started.acquire(timeout=PATIENCE)
        queue.submit(make_job("gone, too", quality="better"))
        queue.submit(make_job("there", page="two"))
        queue.cancel("one")
        artist.step.release(2)
        assert heard.ended.acquire(timeout=PATIENCE)
        assert artist.begun == ["gone", "there"]
        assert [prompt for prompt, _ in heard.ends] == ["there"]


def test_an_error_is_reported_and_the_next_picture_drawn() -> None:
    with running() as (queue, artist, heard):
        artist.step.release(3)
        for number, prompt in enumerate(("broken", "refused", "fine")):
            queue.submit(make_job(prompt, page=str(number)))
        for _ in range(3):
            assert heard.ended.acquire(timeout=PATIENCE)
        messages = [str(found) for _, found in heard.ends[:2]]
        assert messages == [
            "RuntimeError: no memory; choose another method",
            "nothing is drawn yet; draw a line",
        ]
        assert isinstance(heard.ends[2][1], Shown)


def test_closing_gives_up_what_is_drawn() -> None:
    artist, heard = SlowArtist(), Listener()
    queue = DrawingQueue(artist, heard)  # type: ignore[arg-type]
    queue.submit(make_job("never"))
    assert artist.started.acquire(timeout=PATIENCE)
    artist.step.release()
    queue.close()
    assert [prompt for prompt, _ in heard.ends] in ([], ["never"])
