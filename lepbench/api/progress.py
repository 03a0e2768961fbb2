"""Whether a call shows bars."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from lepbench.bars import show_bars
from lepbench.progress import Progress, ignore_progress

ShowProgress = bool | Progress
"""True for bars on stderr, False for nothing, or a callback (stage, done, total)."""


def follow_progress(progress: ShowProgress) -> AbstractContextManager[Progress]:
    """A block in which progress is shown as asked for."""
    if callable(progress):
        return nullcontext(progress)
    return show_bars() if progress else nullcontext(ignore_progress)
