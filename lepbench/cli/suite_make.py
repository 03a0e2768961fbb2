"""`lepbench suite make`: make a suite of a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lepbench.cli.console import json_option, print_result, say_note
from lepbench.cli.pairs import parse_pair
from lepbench.errors import LepbenchError

if TYPE_CHECKING:
    from lepbench.suite_sources import MadeSuite, SuiteSource

OF_DETECTOR = "--detector-set"


@click.command("make")
@click.argument("corpus")
@click.argument("path", type=click.Path(path_type=Path), required=False)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write.")
@click.option(
    "--name", help="The suite's name, a part of its seeds.  [default: CORPUS-ITEMS, counted as --items]"
)
@click.option(
    "--items",
    type=int,
    help="Items at most; of variants, their originals.  [default: 256; folder: all; variants: the suite's]",
)
@click.option("--size", type=int, help="Side of pictures and sketches, px.  [default: 512; triplets: theirs]")
@click.option("--seed", type=int, help="Seed of the order.  [default: 0]")
@click.option("--detector", help="triplets: make the edge maps anew by this detector.")
@click.option(
    OF_DETECTOR, "of_detector", multiple=True, metavar="KEY=VALUE", help="A setting of the detector."
)
@click.option(
    "--device", help="triplets: cpu, cuda, or auto: cuda for network detectors if available.  [default: cpu]"
)
@click.option(
    "--exclude",
    multiple=True,
    metavar="SET",
    help="triplets: leave out pictures of a built folder, a suite or a folder of pictures. Repeatable.",
)
@click.option(
    "--prompt", help="Template for drawings with a class and no caption.  [default: a photo of a {label}]"
)
@click.option(
    "--secret",
    type=click.Path(dir_okay=False, path_type=Path),
    help="sketchworld: file of the bytes that choose the scenes; made, mode 600, if it does not exist.",
)
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting of the corpus, as YAML."
)
@json_option
def make_command(
    corpus: str,
    path: Path | None,
    out: Path,
    name: str | None,
    of_detector: tuple[str, ...],
    settings: tuple[str, ...],
    as_json: bool,
    **options: Any,
) -> None:
    """Make a frozen suite of CORPUS, which is at PATH, for `lepbench evaluate --suite`.

    CORPUS is `triplets` (a folder of `build-data`: photographs, captions, edge maps), `folder` (sketches with
    a table of prompts, or a .txt beside each), `sketchworld` (a fresh draw, chosen by a secret), a corpus of
    people's drawings (`lepbench list sketches`), or a kind of variants of the suite at PATH, such as
    `completion` (docs/questions.md).
    Any number of items from the front is a fair sample, and classes alternate. What cannot be used is listed
    with the reason in OUT/rejected.jsonl.

    \b
    Examples:
      lepbench suite make triplets coco-512 --out photographs --items 500 --exclude training-set
      lepbench suite make triplets coco-512 --out photographs --size 256 --detector hed
      lepbench suite make folder my-sketches --out sketches --set table=sweep.csv
      lepbench suite make openmoji --out emoji --size 128
      lepbench suite make quickdraw ndjson/ --out doodles --items 512
      lepbench suite make svg tu-berlin/ --out tu-berlin --size 256 --set licence=CC-BY-4.0
      lepbench suite make sketchworld --secret secret.bin --out fresh --items 64
      lepbench suite make completion sketchworld-freehand-v1 --out unfinished --set fractions=[0.3,1]
      lepbench suite make fscoco fscoco/ --out scenes --set split=test --set test_share=0.3
    """
    from lepbench.bars import show_bars
    from lepbench.suite_sources import write_suite

    source = read_source(corpus, path, options | {"of_detector": of_detector}, settings)
    with show_bars() as progress:
        made = write_suite(source, out, progress, name)
    say_note(describe_made(made, out))
    if fewer := describe_fewer(out, options["items"]):
        say_note(fewer)
    if unfit := describe_unfit(out):
        say_note(unfit)
    definition = made.definition
    facts = {
        "out": str(out),
        "name": definition.name,
        "items": definition.items,
        "candidates": made.candidates,
    }
    print_result(str(out), facts | {"left_out": dict(definition.drawn.left_out)}, as_json)


def describe_fewer(folder: Path, asked: int | None) -> str:
    """That a corpus gave fewer items than were asked for; empty where it did not."""
    from lepbench.suites import load_suite

    suite = load_suite(folder)
    found = suite.count_originals(len(suite))
    return "" if asked is None or found >= asked else f"note: {asked:,} items were asked for, {found:,} found"


def describe_unfit(folder: Path) -> str:
    """Why a suite cannot be scored by its own protocol; empty if it can."""
    from lepbench.evaluation.protocols import select_protocol
    from lepbench.suites import load_suite

    try:
        select_protocol(load_suite(folder))
    except LepbenchError as error:
        return f"note: {error}"
    return ""


def read_source(
    corpus: str, path: Path | None, options: dict[str, Any], pairs: tuple[str, ...]
) -> SuiteSource:
    """The source that CORPUS, PATH and the options ask for.

    Raises:
        LepbenchError: there is none of that name, it does not take an option, or a setting does not fit.
    """
    from lepbench.suite_sources.request import make_suite_source

    given = {key: value for key, value in options.items() if value not in (None, ())}
    if of_detector := dict(parse_pair(text, OF_DETECTOR) for text in given.pop("of_detector", ())):
        if "detector" not in given:
            raise LepbenchError(f"{OF_DETECTOR} sets nothing without --detector", "name the detector")
        given["detector"] = {"name": given["detector"], **of_detector}
    return make_suite_source(corpus, path, given, dict(map(parse_pair, pairs)))


def describe_made(made: MadeSuite, out: Path) -> str:
    """How many items a suite has, what was left out, and what was done to sketches."""
    from lepbench.suite_sources.rejects import REJECTED, UNSUPPORTED, count_parts, describe_rejects

    definition = made.definition
    text = f"suite {definition.name}: {definition.items} items of {made.candidates} candidates; left out: "
    text += f"{describe_rejects(made.rejects)}; all in {out / REJECTED}" if made.rejects else "0"
    if beyond := made.candidates - definition.drawn.considered:
        text += f"; {beyond} not looked at"
    if definition.drawn.changes:
        changes = ", ".join(f"{count} {change}" for change, count in definition.drawn.changes.items())
        text += f"\nsketches: {changes}"
    if made.parts:
        counts = ", ".join(f"{name} in {count}" for name, count in count_parts(made.parts).items())
        text += f"\nnot drawn, or not as it should be: {counts} of the items; all in {out / UNSUPPORTED}"
    return text
