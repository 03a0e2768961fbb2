"""Progress callbacks with the stage, the amount done and the total."""

from __future__ import annotations

import time
from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total)."""


def ignore_progress(stage: str, done: int, total: int) -> None:
    """A callback that shows nothing."""


def join_progress(*callbacks: Progress) -> Progress:
    """A callback that calls all of these."""

    def tell(stage: str, done: int, total: int) -> None:
        for callback in callbacks:
            callback(stage, done, total)

    return tell


class Rate:
    """How fast something is done, from the first amount that was told.

    Args:
        clock: gives seconds; that of the machine unless given.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock
        self._first: tuple[float, int] | None = None

    def measure(self, done: int) -> float | None:
        """The amount done a second; None while nothing was done since the first."""
        now = time.monotonic() if self._clock is None else self._clock()
        if self._first is None:
            self._first = (now, done)
        began, first = self._first
        return (done - first) / (now - began) if done > first and now > began else None
