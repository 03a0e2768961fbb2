"""Progress callbacks with the stage, the amount done and the total."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total)."""


def ignore_progress(stage: str, done: int, total: int) -> None:
    """A callback that shows nothing."""
