"""`lepbench table`: finished runs as one table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from lepbench.cli.inputs import check_runs

if TYPE_CHECKING:
    from lepbench.publishing.results import ResultsTable

F = TypeVar("F", bound=Callable[..., None])
FORMATS = ("text", "markdown", "latex", "csv", "json")
"""As in `lepbench.publishing.formats`, which is imported when a table is written."""


def add_format_options(function: F) -> F:
    """The options of how a table is written."""
    for option in (
        click.option("--out", type=click.Path(path_type=Path), help="File to write  [default: print]."),
        click.option("--intervals", is_flag=True, help="Write the interval beside each figure."),
        click.option("--metrics", help="Figures, such as edge_f1_1px,kid  [default: the main ones]."),
        click.option(
            "--format",
            "kind",
            type=click.Choice(FORMATS),
            default="text",
            show_default=True,
            help="csv and json hold the raw figures with their intervals.",
        ),
        click.option(
            "--json", "kind", flag_value="json", type=click.Choice(FORMATS), help="The same as --format json."
        ),
    ):
        function = option(function)
    return function


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@click.option(
    "--rows",
    default="model,unguided,real",
    show_default=True,
    help="Rows: model, unguided, real, vae, overlay, wrong_sketch.",
)
@add_format_options
def command(
    runs: tuple[Path, ...], rows: str, kind: str, metrics: str | None, intervals: bool, out: Path | None
) -> None:
    """Set finished runs of one suite and protocol in one table, a line a run.

    The references stand below, once where they are the same for all runs. The best figure of the runs is
    bold; one that is not significantly different from it, by the test of `lepbench compare`, has a dagger.
    Runs of other terms are refused.

    \b
    Examples:
      lepbench table runs/mini-lep runs/mini-unguided
      lepbench table runs/a runs/b --format latex --metrics edge_f1_1px,clip_score,kid --out table.tex
      lepbench table runs/a --rows model,unguided,vae,real --intervals --format markdown
    """
    check_runs(runs)
    from lepbench.publishing.run_table import tabulate_runs

    table = tabulate_runs(runs, metrics=split_names(metrics), rows=split_names(rows))
    write_table(table, kind, intervals=intervals, out=out)


def split_names(text: str | None) -> list[str]:
    """The names in a list with commas; none in None."""
    return [name for part in (text or "").split(",") if (name := part.strip())]


def write_table(table: ResultsTable, kind: str, *, intervals: bool, out: Path | None) -> None:
    """Print a table in a format, or write it to a file."""
    from lepbench.files import write_text
    from lepbench.publishing.formats import format_table

    text = format_table(table, kind, intervals=intervals)
    if out is None:
        click.echo(text, nl=False)
    else:
        write_text(out, text)
        click.echo(str(out))
