"""Progress on stderr: for every stage of some work a bar, how fast it goes, the time left, and the memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from lepbench.files import format_bytes
from lepbench.memory import measure_memory
from lepbench.progress import Progress, Rate, ignore_progress
from lepbench.quiet import Level, find_level

BAR = 12
"""Characters of a bar."""
MEMORY_EVERY = 2.0
"""Seconds after which memory is measured again."""


@contextmanager
def show_bars(transient: bool = False) -> Iterator[Progress]:
    """A callback `(stage, done, total)` that keeps one bar a stage while the block runs.

    Args:
        transient: remove the bars from a terminal at the end.
    """
    if find_level() is Level.QUIET:
        yield ignore_progress
        return
    from rich import progress as rich
    from rich.console import Console
    from rich.table import Column

    # Narrow enough that a stage is one line of 80 characters, in a file, too.
    columns = (
        rich.TextColumn("{task.description}", table_column=Column(no_wrap=True, max_width=26)),
        rich.BarColumn(bar_width=BAR),
        rich.MofNCompleteColumn(table_column=Column(no_wrap=True)),
        rich.TextColumn("{task.fields[rate]}", table_column=Column(no_wrap=True)),
        rich.TimeRemainingColumn(table_column=Column(no_wrap=True)),
        rich.TextColumn("{task.fields[memory]}", table_column=Column(no_wrap=True)),
    )
    bars = rich.Progress(*columns, console=Console(stderr=True), transient=transient)
    tasks: dict[str, rich.TaskID] = {}
    rates: dict[str, Rate] = {}
    memory = MemoryText()

    def show(stage: str, done: int, total: int) -> None:
        # Started by the first stage: work that fails before it begins leaves one line, and no empty bar.
        if not tasks:
            bars.start()
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=total, rate="", memory="")
            rates[stage] = Rate()
        rate = write_rate(rates[stage].measure(done))
        bars.update(tasks[stage], completed=done, total=total, rate=rate, memory=memory.read())

    try:
        yield show
    finally:
        if tasks:
            bars.stop()


class MemoryText:
    """The memory of this process and those that it began, measured now and then."""

    def __init__(self) -> None:
        self._measured = -MEMORY_EVERY
        self._text = ""

    def read(self) -> str:
        """Such as `2.4 GB`."""
        now = time.monotonic()
        if now - self._measured >= MEMORY_EVERY:
            self._measured, self._text = now, format_bytes(measure_memory())
        return self._text


def write_rate(rate: float | None) -> str:
    """How fast something is done: `3.2/s`, or `12 s each` where one takes longer than a second."""
    if rate is None:
        return ""
    return f"{rate:.1f}/s" if rate >= 1 else f"{1 / rate:.3g} s each"
