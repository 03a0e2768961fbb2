"""`lepbench suite`: list, make and export suites."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lepbench.cli.verbs import VerbGroup
from lepbench.errors import LepbenchError

if TYPE_CHECKING:
    from lepbench.sketches import SketchCorpus
    from lepbench.suites.drawings import DrawingSuite, SuiteRequest


@click.group(cls=VerbGroup)
def command() -> None:
    """Look at suites, make one of drawings or anew from its recipe, and take one elsewhere.

    \b
    Examples:
      lepbench suite list
      lepbench suite make quickdraw cat.ndjson --out cats --size 64
      lepbench suite export sketchworld-edges-v1 --out to-draw
      lepbench suite rebuild sketchworld-edges-v1 --out again
    """


@command.command("list")
def list_command() -> None:
    """Names and sizes of the suites that ship."""
    from lepbench.suites import list_shipped, load_suite

    for name in list_shipped():
        about = load_suite(name).definition
        click.echo(
            f"{name}  {about.default_items} of {about.items} items, {about.size} px: {about.description}"
        )


@command.command("make")
@click.argument("corpus")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder to write; its name is the suite's."
)
@click.option("--items", default=256, show_default=True, help="Number of drawings.")
@click.option("--size", default=512, show_default=True, help="Side of images and sketches, px.")
@click.option("--seed", default=0, show_default=True, help="Seed of the choice of drawings.")
@click.option(
    "--prompt",
    default="a photo of a {label}",
    show_default=True,
    help="Prompt template for drawings with a class; captions are used as they are.",
)
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting of the corpus, as YAML."
)
def make_command(
    corpus: str, path: Path | None, out: Path, settings: tuple[str, ...], **options: Any
) -> None:
    """Make a frozen suite of drawings of CORPUS (quickdraw, svg, fscoco, openmoji), which is at PATH.

    Without PATH openmoji is that of its installed package.
    Classes alternate, so that any number of items from the front is balanced. FS-COCO and OpenMoji have
    captions and pictures; the others have no real images, so conditions and metrics that need one are
    omitted when a model is evaluated. Pass the folder to `lepbench evaluate --suite`. Drawings that
    cannot be used are listed with the reason in OUT/rejected.jsonl.

    \b
    Examples:
      lepbench suite make quickdraw ndjson/ --out doodles --items 512
      lepbench suite make svg tu-berlin/ --out tu-berlin-256 --size 256 --set licence=CC-BY-4.0
      lepbench suite make svg icons/ --out icons-512 --set label=file
      lepbench suite make fscoco fscoco/ --out scenes --set split=test --set test_share=0.3
      lepbench suite make openmoji --out emoji --size 128
    """
    from lepbench.bars import show_bars
    from lepbench.suites.drawings import draw_suite

    source = read_corpus(corpus, path, settings)
    with show_bars() as progress:
        made = draw_suite(source, _make_request(out.resolve().name, options), out, progress)
    click.echo(_describe_suite(made, out), err=True)
    click.echo(out)


def _describe_suite(made: DrawingSuite, out: Path) -> str:
    """What was left out of a suite of drawings, and of its items."""
    from lepbench.sketches.rejects import REJECTED, UNSUPPORTED, count_parts, describe_rejects

    drawn = made.definition.drawn
    text = f"{made.definition.items} items of {drawn.considered} drawings; left out: "
    text += f"{describe_rejects(made.rejects)}; all in {out / REJECTED}" if made.rejects else "0"
    if made.parts:
        counts = ", ".join(f"{name} in {count}" for name, count in count_parts(made.parts).items())
        text += f"\nnot drawn, or not as it should be: {counts} of the items; all in {out / UNSUPPORTED}"
    return text


def read_corpus(name: str, path: Path | None, pairs: tuple[str, ...]) -> SketchCorpus:
    """The sketch corpus given by a name, a path, None for the corpus's own, and KEY=VALUE pairs.

    Raises:
        LepbenchError: there is none of that name, or a pair is no setting of it.
    """
    from lepbench.cli.pairs import parse_pair
    from lepbench.config import select_config
    from lepbench.sketches import SKETCHES

    settings = dict(map(parse_pair, pairs))
    for key in {"name", "path"} & settings.keys():
        raise LepbenchError(f"--set {key} is no setting", "give CORPUS and PATH")
    if path is None and SKETCHES.get(name).model_fields["path"].is_required():
        raise LepbenchError(f"no path of {name}", "give the folder or file of its drawings as PATH")
    place = {} if path is None else {"path": path}
    return select_config({**settings, **place, "name": name}, SKETCHES)


def _make_request(name: str, options: dict[str, Any]) -> SuiteRequest:
    """The settings of a new suite.

    Raises:
        LepbenchError: an option is out of range.
    """
    from pydantic import ValidationError

    from lepbench.config import explain
    from lepbench.suites.drawings import SuiteRequest

    try:
        return SuiteRequest(name=name, **options)
    except ValidationError as error:
        raise LepbenchError(explain(error, SuiteRequest)) from error


@command.command("export")
@click.argument("suite", metavar="NAME")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write.")
@click.option("--limit", type=click.IntRange(min=1), help="Items of the suite  [default: the suite's].")
@click.option("--samples-per-item", type=click.IntRange(min=1), default=1, show_default=True)
def export_command(suite: str, out: Path, limit: int | None, samples_per_item: int) -> None:
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
    click.echo(table)


@command.command("rebuild")
@click.argument("name")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write."
)
def rebuild_command(name: str, out: Path) -> None:
    """Make the shipped suite NAME anew from its recipe.

    The code and package versions that it was made with give the bytes that ship.

    \b
    Examples:
      lepbench suite rebuild sketchworld-edges-v1 --out again
      lepbench suite rebuild sketchworld-freehand-v1 --out again-freehand
    """
    from lepbench.bars import show_bars
    from lepbench.suites.make import rebuild_suite

    with show_bars() as progress:
        definition = rebuild_suite(name, out, progress)
    drawn = definition.drawn
    left_out = ", ".join(f"{count} {reason}" for reason, count in drawn.left_out.items())
    click.echo(
        f"{definition.items} items of {drawn.considered} candidates; left out: {left_out or 0}", err=True
    )
    click.echo(out)
