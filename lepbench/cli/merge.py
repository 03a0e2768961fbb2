"""`lepbench merge`: one run of the shards that the jobs of an array drew."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN...")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of results  [default: runs/NAME].")
@click.option("--suite", help="The suite's name, or its folder if it does not ship.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def command(runs: tuple[Path, ...], out: Path | None, suite: str | None, as_json: bool) -> None:
    """Make one run of the shards that 'evaluate --shards' drew, each into a folder of its own.

    The result is that of one process to the byte, but for times. Nothing is loaded or drawn. Shards of
    other settings, files or packages are refused, and so are missing ones and those that come twice.

    \b
    Examples:
      lepbench evaluate model.yaml --shards 1/3    # and 2/3, 3/3, in three jobs
      lepbench merge runs/model.*-of-3
    """
    from lepbench.api.shares import merge
    from lepbench.cli.evaluate import print_table, say_where

    record = merge(runs, out, suite)
    if as_json:
        click.echo(json.dumps(record.published()))
    else:
        print_table(record)
    say_where(record, record.require_folder())
