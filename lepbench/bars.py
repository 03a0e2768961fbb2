"""Progress on stderr: a bar with its rate and an estimate of the time left for every stage of some work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lepbench.progress import Progress


@contextmanager
def show_bars(transient: bool = False) -> Iterator[Progress]:
    """A callback `(stage, done, total)` that keeps one bar a stage while the block runs.

    Args:
        transient: remove the bars from a terminal at the end.
    """
    from rich import progress as rich
    from rich.console import Console
    from rich.text import Text

    class Rate(rich.ProgressColumn):
        """What is done in a second: pictures, triplets, steps."""

        def render(self, task: rich.Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:.3g}/s", style="progress.data.speed")

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        Rate(),
        rich.TimeRemainingColumn(),
    )
    bars = rich.Progress(*columns, console=Console(stderr=True), transient=transient)
    tasks: dict[str, rich.TaskID] = {}

    def show(stage: str, done: int, total: int) -> None:
        # Started by the first stage: work that fails before it begins leaves one line, and no empty bar.
        if not tasks:
            bars.start()
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=total)
        bars.update(tasks[stage], completed=done, total=total)

    try:
        yield show
    finally:
        if tasks:
            bars.stop()
