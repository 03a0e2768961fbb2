"""`lepbench suite`: what there is to draw."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def command() -> None:
    """Look at suites, and take one elsewhere.

    \b
    Examples:
      lepbench suite list
      lepbench suite export sketchworld-edges-v1 --out to-draw
    """


@command.command("list")
def list_command() -> None:
    """Names and sizes of the suites that ship."""
    from lepbench.suites import load_suite, shipped

    for name in shipped():
        about = load_suite(name).definition
        click.echo(
            f"{name}  {about.default_items} of {about.items} items, {about.size} px: {about.description}"
        )


@command.command("export")
@click.argument("suite", metavar="NAME")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write.")
@click.option("--limit", type=click.IntRange(min=1), help="Items of the suite  [default: the suite's].")
@click.option("--samples-per-item", type=click.IntRange(min=1), default=1, show_default=True)
def export_command(suite: str, out: Path, limit: int | None, samples_per_item: int) -> None:
    """Write the prompts and sketches of suite NAME, for pictures to be drawn by any program.

    The folder's README says how they are drawn and scored: with `method: {name: precomputed, folder: ...}` no
    model is loaded.

    \b
    Examples:
      lepbench suite export sketchworld-edges-v1 --out to-draw
      lepbench suite export sketchworld-edges-v1 --out to-draw --samples-per-item 4
    """
    from lepbench.cli.bars import bars
    from lepbench.suites import load_suite
    from lepbench.suites.export import export

    with bars() as progress:
        table = export(load_suite(suite), out, progress, limit, samples_per_item)
    click.echo(table)
