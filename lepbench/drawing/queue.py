"""One picture at a time, in the order of the jobs; a newer job of a page replaces its older one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from lepbench.drawing.artist import Artist, Cancelled, Quality, Settings, Shown
from lepbench.drawing.drawing import PageDrawing
from lepbench.errors import LepbenchError

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
        artist: used by that thread alone.
        notify: see `Notify`.
    """

    def __init__(self, artist: Artist, notify: Notify) -> None:
        self.artist, self.notify = artist, notify
        self._waiting: OrderedDict[tuple[str, Quality], PageJob] = OrderedDict()
        self._drawn: PageJob | None = None
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="drawing", daemon=True)
        self._thread.start()

    def submit(self, job: PageJob) -> None:
        """Take a job, in place of the page's earlier one of that quality."""
        with self._changed:
            self._cancel(job.page, (job.quality,))
            self._waiting[job.page, job.quality] = job
            self._changed.notify()

    def cancel(self, page: str) -> None:
        """Give up all that a page waits for: it has gone."""
        with self._changed:
            self._cancel(page, ("live", "better"))

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
        while (job := self._take()) is not None:
            try:
                found: Shown | LepbenchError = self.artist.draw(
                    job.drawing, job.settings, job.quality, self._proceed
                )
            except Cancelled:
                continue
            except LepbenchError as error:
                found = error
            except Exception as error:  # A method from elsewhere may raise anything; the page goes on.
                found = LepbenchError(f"{type(error).__name__}: {error}"[:300], "choose another method")
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
