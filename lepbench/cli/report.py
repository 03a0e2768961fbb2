"""`lepbench report`: finished runs as one HTML file."""

from __future__ import annotations

from pathlib import Path

import click

from lepbench.cli.console import json_option, print_result
from lepbench.cli.inputs import check_runs


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="HTML file to write  [default: report.html, in DIR if there is one].",
)
@click.option("--suite", help="A suite's name, or a folder of one  [default: the record's].")
@click.option(
    "--verify/--no-verify",
    default=True,
    show_default=True,
    help="Check first that the figures follow from the samples.",
)
@json_option
def command(runs: tuple[Path, ...], out: Path | None, suite: str | None, verify: bool, as_json: bool) -> None:
    """Write the report of the runs in DIR..., which are of one suite and protocol.

    It shows the figure that ranks among the reference conditions, every figure with what it says, curves over
    tolerances and levels, and the pictures, sorted by any figure. Of several runs it shows the paired
    differences. Then follow failures, settings, checks, hashes, and the commands that repeat the run.

    The file is below 5 MB and loads nothing from elsewhere: it can be sent by itself. Full pictures are
    opened from the folders of the runs, where they lie.

    \b
    Examples:
      lepbench report runs/mini-lep
      lepbench report runs/mini-lep runs/mini-unguided --out both.html
    """
    check_runs(runs)
    from lepbench.api.reports import write_report

    written = write_report(list(runs), out=out, suite=suite, verify=verify)
    print_result(f"wrote {written}", {"report": str(written)}, as_json)
