"""`lepbench score sketches`: pictures against the sketches they were drawn from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lepbench.cli.console import say_note
from lepbench.cli.pairs import parse_pair
from lepbench.errors import LepbenchError

if TYPE_CHECKING:
    from lepbench.detectors import Detector
    from lepbench.metrics.statistics import Interval
    from lepbench.scoring.sketches import SketchScores

FolderPath = click.Path(path_type=Path)


@click.command()
@click.option(
    "--generated",
    type=FolderPath,
    required=True,
    help="NAME-0.png, NAME-1.png, ..; or NAME.png; or folders that hold one NAME.png each.",
)
@click.option(
    "--sketches", type=FolderPath, required=True, help="NAME.png, .jpg, .webp or .svg, light or dark lines."
)
@click.option("--detector", help="Edge detector of the images.  [default: canny with low 0.3, high 0.6]")
@click.option(
    "--detector-set", "pairs", multiple=True, metavar="KEY=VALUE", help="A setting of the detector."
)
@click.option("--protocol", help="Instead: a protocol that ships, or a YAML file, whose detector is taken.")
@click.option("--judges", help="YAML file of judges, or a protocol that ships: adds sketch_similarity@LABEL.")
@click.option("--no-thin", is_flag=True, help="Keep the width of thick strokes.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes  [default: one a processor].")
@click.option("--device", default="auto", show_default=True, help="Of networks: cpu, cuda or auto.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def sketches(
    generated: Path,
    sketches: Path,
    detector: str | None,
    pairs: tuple[str, ...],
    protocol: str | None,
    judges: str | None,
    no_thin: bool,
    workers: int | None,
    device: str,
    as_json: bool,
) -> None:
    """Compare the edges of generated images with the sketches that they were drawn from.

    Precision, recall and F1 within 0 to 3 px and 0.0075 of the diagonal, Chamfer distance, and, of SVG
    sketches, the recall of strokes: means over images, with 95 % intervals over sketches. A sketch is centred
    in the proportions of its image and scaled to its size; whether lines are dark or light is found, and
    strokes that would fill cells of a latent are redrawn thin.

    \b
    Examples:
      lepbench score sketches --generated samples/ --sketches sketches/
      lepbench score sketches --generated samples/ --sketches svg/ --detector pidinet --json
      lepbench score sketches --generated samples/ --sketches sketches/ --judges judges.yaml
    """
    from lepbench.api.judges import find_judges
    from lepbench.backbones import choose_device
    from lepbench.bars import show_bars
    from lepbench.scoring.matching import score_similarity, select_matching
    from lepbench.scoring.sketches import SketchRules, find_sketches, score_sketches

    where = str(choose_device(device))
    rules = SketchRules(_choose_detector(detector, pairs, protocol), thin=not no_thin, device=where)
    # Refused before any picture is read.
    chosen = select_matching(find_judges(judges)) if judges else []
    prompts = find_sketches(generated, sketches)
    with show_bars() as progress:
        scores = score_sketches(prompts, rules, progress, workers)
        similarity = (
            score_similarity(prompts, chosen, device=where, progress=progress, thin=rules.thin)
            if chosen
            else {}
        )
    for note in _list_notes(scores):
        say_note(note)
    figures = scores.figures | similarity
    click.echo(json.dumps(_dump(scores, figures)) if as_json else _describe(scores, figures))


def _choose_detector(name: str | None, pairs: tuple[str, ...], protocol: str | None) -> Detector:
    """The detector that the options name.

    Raises:
        LepbenchError: they name two, or one that is not known.
    """
    from lepbench.detectors import select_detector

    settings = dict(parse_pair(pair, "--detector-set") for pair in pairs)
    if protocol is None:
        return select_detector(
            {"name": name, **settings} if name else {"name": "canny", "low": 0.3, "high": 0.6, **settings}
        )
    if name is not None or settings:
        raise LepbenchError("--protocol and --detector name detectors both", "give one of them")
    return select_detector(_read_detector(protocol))


def _read_detector(protocol: str) -> Any:
    """What a protocol's file says of its detector."""
    from lepbench.config import load_document
    from lepbench.evaluation.protocol import Protocol
    from lepbench.evaluation.protocols import FOLDER, PROTOCOLS

    path = Path(protocol)
    if path.suffix not in (".yaml", ".yml"):
        PROTOCOLS.get(protocol)
        path = FOLDER / f"{protocol}.yaml"
    document = load_document(path, Protocol)
    if "detector" not in document:
        raise LepbenchError(f"protocol {protocol} takes the detector of a suite", "name one with --detector")
    return document["detector"]


def _list_notes(scores: SketchScores) -> list[str]:
    """What a reader of the figures must know of how the sketches were read."""
    notes = [f"{count} of {scores.sketches} sketches: {name}" for name, count in scores.polarities.items()]
    if scores.thinned:
        notes.append(
            f"the thick strokes of {scores.thinned} sketches were redrawn as thin lines; --no-thin keeps them"
        )
    return [*notes, *scores.notes]


def _dump(scores: SketchScores, figures: dict[str, Interval]) -> dict[str, Any]:
    from lepbench.cli.figures import dump_figures
    from lepbench.detectors import identify_detector

    return {
        "detector": identify_detector(scores.rules.detector),
        "sketches": scores.sketches,
        "pictures_per_sketch": scores.pictures_per_sketch,
        "with_strokes": scores.with_strokes,
        "polarities": scores.polarities,
        "thinned": scores.thinned,
        "figures": dump_figures(figures),
    }


def _describe(scores: SketchScores, figures: dict[str, Interval]) -> str:
    from lepbench.cli.figures import list_figures
    from lepbench.detectors import identify_detector

    made = f"{scores.sketches} sketches, {scores.pictures_per_sketch} pictures each"
    return "\n".join([*list_figures(figures), f"{made}, by {identify_detector(scores.rules.detector)}"])
