"""Progress of any work: a callback that is told the stage, how much of it is done, and how much there is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total)."""


def ignore_progress(stage: str, done: int, total: int) -> None:
    """Progress that is not shown."""
