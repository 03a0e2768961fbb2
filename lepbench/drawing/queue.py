"""One picture at a time, in the order of the wishes; a newer wish of a page replaces its older one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from lepbench.drawing.artist import Artist, OutOfDate, Quality, Settings, Shown
from lepbench.drawing.drawing import PageDrawing
from lepbench.errors import LepbenchError

Tell = Callable[["Wish", "Shown | LepbenchError | tuple[int, int]"], None]
"""Told of a wish, by the worker's thread: its pictures, why there are none, or its steps done and in all."""


@dataclass(frozen=True)
class Wish:
    """A picture that a page waits for.

    Attributes:
        page: the page that asks.
        number: of the page's wishes.
    """

    page: str
    number: int
    quality: Quality
    drawing: PageDrawing
    settings: Settings
    stale: threading.Event = field(default_factory=threading.Event, compare=False)


class DrawingQueue:
    """A thread that draws, and the wishes that wait: at most one of a page and quality.

    Args:
        artist: used by that thread alone.
        tell: see `Tell`.
    """

    def __init__(self, artist: Artist, tell: Tell) -> None:
        self.artist, self.tell = artist, tell
        self._waiting: OrderedDict[tuple[str, Quality], Wish] = OrderedDict()
        self._drawn: Wish | None = None
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="drawing", daemon=True)
        self._thread.start()

    def ask(self, wish: Wish) -> None:
        """Take a wish, in place of what the page wished of that quality before."""
        with self._changed:
            self._give_up(wish.page, (wish.quality,))
            self._waiting[wish.page, wish.quality] = wish
            self._changed.notify()

    def forget(self, page: str) -> None:
        """Give up all that a page waits for: it has gone."""
        with self._changed:
            self._give_up(page, ("live", "better"))

    def close(self) -> None:
        """Give up everything, and end the thread."""
        with self._changed:
            self._closed = True
            for wish in (*self._waiting.values(), *([self._drawn] if self._drawn else [])):
                wish.stale.set()
            self._changed.notify()
        self._thread.join()

    def _give_up(self, page: str, qualities: tuple[Quality, ...]) -> None:
        for quality in qualities:
            self._waiting.pop((page, quality), None)
        drawn = self._drawn
        if drawn is not None and drawn.page == page and drawn.quality in qualities:
            drawn.stale.set()

    def _work(self) -> None:
        while (wish := self._take()) is not None:
            try:
                found: Shown | LepbenchError = self.artist.draw(
                    wish.drawing, wish.settings, wish.quality, lambda done, total: self._proceed(done, total)
                )
            except OutOfDate:
                continue
            except LepbenchError as error:
                found = error
            except Exception as error:  # A method from elsewhere may raise anything; the page goes on.
                found = LepbenchError(f"{type(error).__name__}: {error}"[:300], "choose another method")
            if not wish.stale.is_set():
                self.tell(wish, found)

    def _take(self) -> Wish | None:
        with self._changed:
            self._drawn = None
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            _, self._drawn = self._waiting.popitem(last=False)
            return self._drawn

    def _proceed(self, done: int, total: int) -> None:
        wish = self._drawn
        assert wish is not None
        if wish.stale.is_set():
            raise OutOfDate
        self.tell(wish, (done, total))
