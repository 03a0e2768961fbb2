"""Progress on stderr: a bar with an estimate of the time left for every stage of some work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def show_bars() -> Iterator[Callable[[str, int, int], None]]:
    """A callback `(stage, done, total)` that keeps one bar a stage while the block runs."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=Console(stderr=True))
    tasks: dict[str, TaskID] = {}

    def show(stage: str, done: int, total: int) -> None:
        # Started by the first stage: work that fails before it begins leaves one line, and no empty bar.
        if not tasks:
            progress.start()
        if stage not in tasks:
            tasks[stage] = progress.add_task(stage, total=total)
        progress.update(tasks[stage], completed=done, total=total)

    try:
        yield show
    finally:
        if tasks:
            progress.stop()
