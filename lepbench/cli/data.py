"""`lepbench data`: verify, export and upload a built triplet folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from lepbench.cli.console import json_option, print_result
from lepbench.cli.verbs import VerbGroup

folder_argument = click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")


@click.group(cls=VerbGroup)
def command() -> None:
    """Check, export and upload a folder that `lepbench build-data` finished.

    \b
    Examples:
      lepbench data verify triplets
      lepbench data export triplets --out tars
      lepbench data push triplets someone/triplets --private
    """


@command.command("verify")
@folder_argument
@json_option
def verify_command(folder: Path, as_json: bool) -> None:
    """Check every shard and record of DIR against its manifest.

    Shards are hashed, and every entry must be a row or a reject. Nothing is written. The
    check stops at the first file that differs and names it, with exit code 2.

    \b
    Example:
      lepbench data verify triplets
    """
    from lepbench.bars import show_bars
    from lepbench.data.check import check

    with show_bars() as progress:
        manifest = check(folder, progress)
    rejects = sum(manifest.rejected.values())
    print_result(
        f"{folder}: {len(manifest.shards)} shards are as recorded; "
        f"{manifest.written + rejects} entries = {manifest.written} rows + {rejects} rejects",
        {"folder": str(folder), "shards": len(manifest.shards), "rows": manifest.written, "rejects": rejects},
        as_json,
    )


@command.command("export")
@folder_argument
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write.")
@click.option(
    "--format", "layout", type=click.Choice(["webdataset"]), default="webdataset", show_default=True
)
@click.option("--rows-per-tar", type=click.IntRange(min=1), default=1000, show_default=True)
@json_option
def export_command(
    folder: Path, out: Path, layout: Literal["webdataset"], rows_per_tar: int, as_json: bool
) -> None:
    """Write the rows of DIR as WebDataset tar archives; the same command resumes.

    A row is KEY.jpg or KEY.png, KEY.edges.png, KEY.txt and KEY.json; images keep their bytes.

    \b
    Examples:
      lepbench data export triplets --out tars
      lepbench data export triplets --out tars --rows-per-tar 5000
    """
    from lepbench.bars import show_bars
    from lepbench.data.export import export

    with show_bars() as progress:
        index = export(folder, out, layout=layout, rows_per_tar=rows_per_tar, progress=progress)
    rows, tars = sum(tar.rows for tar in index.tars), len(index.tars)
    facts = {"out": str(out), "triplets": rows, "tars": tars}
    print_result(f"{rows} triplets in {tars} tars in {out}", facts, as_json)


@command.command("push")
@folder_argument
@click.argument("repo_id", metavar="OWNER/NAME")
@click.option("--private", is_flag=True, help="Make a new repository private.")
@click.option("--revision", help="A branch, created if it does not exist  [default: main].")
@json_option
def push_command(folder: Path, repo_id: str, private: bool, revision: str | None, as_json: bool) -> None:
    """Check DIR and upload it to the hub as the data set OWNER/NAME; the same command resumes.

    The token is that of `hf auth login`, or the variable HF_TOKEN.

    \b
    Examples:
      lepbench data push triplets someone/triplets --private
      lepbench data push triplets someone/triplets --revision canny
    """
    from lepbench.bars import show_bars
    from lepbench.data.push import push

    with show_bars() as progress:
        address = push(folder, repo_id, progress=progress, private=private, revision=revision)
    print_result(address, {"address": address}, as_json)
