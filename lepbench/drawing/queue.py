"""One picture at a time, in the order of the jobs; a newer job of a page replaces what is out of date."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from lepbench.drawing.artist import QUALITIES, Artist, Cancelled, Quality, Settings, Shown
from lepbench.drawing.drawing import PageDrawing
from lepbench.errors import LepbenchError

REPLACED: dict[Quality, tuple[Quality, ...]] = {
    "live": ("live", "rested"),
    "rested": ("rested",),
    "better": ("rested", "better"),
}
"""What a job makes out of date. One that was asked for is given up for another of its kind alone."""
Notify = Callable[["PageJob", "Shown | LepbenchError | tuple[int, int]"], None]
"""Called by the worker's thread with a job, and its pictures, why there are none, or its steps done and in
all."""


@dataclass(frozen=True)
class PageJob:
    """A picture that a page waits for.

    Attributes:
        page: the page that asks.
        number: of the page's jobs.
    """

    page: str
    number: int
    quality: Quality
    drawing: PageDrawing
    settings: Settings
    stale: threading.Event = field(default_factory=threading.Event, compare=False)


class DrawingQueue:
    """A thread that draws, and the jobs that wait: at most one of a page and quality.

    Args:
        artist: draws in that thread alone.
        notify: see `Notify`.
        prepare: what that thread does before it draws.
    """

    def __init__(self, artist: Artist, notify: Notify, prepare: Callable[[], None] = lambda: None) -> None:
        self.artist, self.notify, self.prepare = artist, notify, prepare
        self._waiting: OrderedDict[tuple[str, Quality], PageJob] = OrderedDict()
        self._drawn: PageJob | None = None
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="drawing", daemon=True)
        self._thread.start()

    def submit(self, job: PageJob) -> None:
        """Take a job, in place of those of its page that it makes out of date."""
        with self._changed:
            self._cancel(job.page, REPLACED[job.quality])
            self._waiting[job.page, job.quality] = job
            self._changed.notify()

    def cancel(self, page: str) -> None:
        """Give up all that a page waits for: it has gone."""
        with self._changed:
            self._cancel(page, QUALITIES)

    def close(self) -> None:
        """Give up everything, and end the thread."""
        with self._changed:
            self._closed = True
            for job in (*self._waiting.values(), *([self._drawn] if self._drawn else [])):
                job.stale.set()
            self._changed.notify()
        self._thread.join()

    def _cancel(self, page: str, qualities: tuple[Quality, ...]) -> None:
        for quality in qualities:
            self._waiting.pop((page, quality), None)
        drawn = self._drawn
        if drawn is not None and drawn.page == page and drawn.quality in qualities:
            drawn.stale.set()

    def _work(self) -> None:
        self.prepare()
        while (job := self._take()) is not None:
            try:
                found: Shown | LepbenchError = self.artist.draw(
                    job.drawing, job.settings, job.quality, self._proceed
                )
            except Cancelled:
                continue
            except Exception as error:  # A method from elsewhere may raise anything; the page goes on.
                found = explain_fault(error)
            if not job.stale.is_set():
                self.notify(job, found)

    def _take(self) -> PageJob | None:
        with self._changed:
            self._drawn = None
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            _, self._drawn = self._waiting.popitem(last=False)
            return self._drawn

    def _proceed(self, done: int, total: int) -> None:
        job = self._drawn
        assert job is not None
        if job.stale.is_set():
            raise Cancelled
        self.notify(job, (done, total))


def explain_fault(error: Exception) -> LepbenchError:
    """What the page says of an error."""
    if isinstance(error, LepbenchError):
        return error
    return LepbenchError(f"{type(error).__name__}: {error}"[:300], "choose another method")
