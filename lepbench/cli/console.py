"""What is printed: results on stdout, as text or JSON, and notes on stderr."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from lepbench.quiet import Level, find_level

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PIPE_WIDTH = 120
"""Columns of a table where stdout is not a terminal."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")

same_option = click.option(
    "--json", is_flag=True, expose_value=False, help="Print one JSON object, as without it."
)
"""Of a command that prints nothing else."""


def print_result(text: str, facts: Any, as_json: bool) -> None:
    """Print a result: a text, or the same as one line of JSON."""
    click.echo(json.dumps(facts) if as_json else text)


def say_note(text: str) -> None:
    """Say on stderr what a reader of the result should know, unless nothing but it was asked for."""
    if find_level() is not Level.QUIET:
        click.echo(text, err=True)


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
