"""The console: terminal width, or a fixed width if stdout is not a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PIPE_WIDTH = 120


def make_console() -> Console:
    """Prints tables to stdout."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)


def print_whole(table: Table) -> None:
    """Print a table in which no cell is cut short: a wide one is wider than the terminal."""
    from rich.console import Console

    console = make_console()
    wide = Console(width=10 * PIPE_WIDTH)
    console.width = max(console.width, wide.measure(table).maximum)
    console.print(table)
