"""`lepbench suite`: list, show, make and export suites."""

from __future__ import annotations

from pathlib import Path

import click

from lepbench.cli.console import json_option, print_result, say_note
from lepbench.cli.suite_make import make_command
from lepbench.cli.suite_show import show_command
from lepbench.cli.verbs import VerbGroup


@click.group(cls=VerbGroup)
def command() -> None:
    """Look at suites, make one of a corpus or anew from its recipe, and take one elsewhere.

    \b
    Examples:
      lepbench suite list
      lepbench suite show sketchworld-edges-v1 --sheet items.png
      lepbench suite make triplets coco-512 --out photographs --items 500
      lepbench suite make quickdraw cat.ndjson --out cats --size 64
      lepbench suite export sketchworld-edges-v1 --out to-draw
      lepbench suite rebuild sketchworld-edges-v1 --out again
    """


@command.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """Names and sizes of the suites that ship."""
    from lepbench.suites import list_shipped, load_suite

    listed = [load_suite(name).definition for name in list_shipped()]
    lines = [
        f"{one.name}  {one.default_items} of {one.items} items, {one.size} px: {one.description}"
        for one in listed
    ]
    keys = {"name", "default_items", "items", "size", "description"}
    print_result("\n".join(lines), [one.model_dump(mode="json", include=keys) for one in listed], as_json)


command.add_command(make_command)
command.add_command(show_command)


@command.command("export")
@click.argument("suite", metavar="NAME")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="Items of the suite, each with all its variants  [default: the suite's].",
)
@click.option("--samples-per-item", type=click.IntRange(min=1), default=1, show_default=True)
@json_option
def export_command(suite: str, out: Path, limit: int | None, samples_per_item: int, as_json: bool) -> None:
    """Write the prompts and sketches of suite NAME, to generate images with any program.

    The folder's README explains the rest: with `method: {name: precomputed, folder: ...}` no
    model is loaded for scoring.

    \b
    Examples:
      lepbench suite export sketchworld-edges-v1 --out to-draw
      lepbench suite export sketchworld-edges-v1 --out to-draw --samples-per-item 4
    """
    from lepbench.bars import show_bars
    from lepbench.suites import load_suite
    from lepbench.suites.export import export_suite

    with show_bars() as progress:
        table = export_suite(load_suite(suite), out, progress, limit=limit, samples_per_item=samples_per_item)
    print_result(str(table), {"out": str(out), "table": str(table)}, as_json)


@command.command("rebuild")
@click.argument("name")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write."
)
@json_option
def rebuild_command(name: str, out: Path, as_json: bool) -> None:
    """Make the shipped suite NAME anew from its recipe.

    The code and package versions that it was made with give the bytes that ship.

    \b
    Examples:
      lepbench suite rebuild sketchworld-edges-v1 --out again
      lepbench suite rebuild sketchworld-freehand-v1 --out again-freehand
    """
    from lepbench.bars import show_bars
    from lepbench.suite_sources.rebuild import rebuild_suite

    with show_bars() as progress:
        definition = rebuild_suite(name, out, progress)
    drawn = definition.drawn
    left_out = ", ".join(f"{count} {reason}" for reason, count in drawn.left_out.items())
    say_note(f"{definition.items} items of {drawn.considered} candidates; left out: {left_out or 0}")
    facts = {"out": str(out), "items": definition.items, "left_out": dict(drawn.left_out)}
    print_result(str(out), facts, as_json)
