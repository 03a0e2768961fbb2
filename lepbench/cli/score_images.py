"""`lepbench score images`: two sets of pictures compared as distributions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lepbench.cli.console import say_note
from lepbench.errors import LepbenchError

if TYPE_CHECKING:
    from lepbench.scoring.images import ImageScores
    from lepbench.scoring.judged import JudgedScores

FolderPath = click.Path(path_type=Path)


@click.command()
@click.option("--generated", type=FolderPath, required=True, help="Folder of generated images.")
@click.option(
    "--reference",
    type=FolderPath,
    required=True,
    help="Folder of real images, or of 'lepbench statistics make' with the same judges.",
)
@click.option(
    "--extractor",
    help="clip:FOLDER_OR_ID, dinov2:FOLDER_OR_ID, torchscript:FILE, torch-fidelity:FILE, torchmetrics:FILE, "
    "or judge, which knows sketchworld alone  [default: judge for pictures of sketchworld, none for others].",
)
@click.option(
    "--judges", help="Instead: a YAML file of judges, or the name of a protocol that ships; figures by each."
)
@click.option("--sha256", help="Required hash of the extractor's FILE; torchscript needs it.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda or auto.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def images(
    generated: Path,
    reference: Path,
    extractor: str | None,
    judges: str | None,
    sha256: str | None,
    device: str,
    as_json: bool,
) -> None:
    """Compare two folders of images as distributions: Frechet distance, KID and, for CLIP, CMMD.

    Values are comparable only for the same extractor and numbers of images. With the Inception file of
    clean-fid as the extractor, the Frechet distance is the FID that clean-fid gives; likewise with that of
    torch-fidelity, whose resize differs from that of torchmetrics. With --judges every judge of features
    gives its figures, such as fid@inception and fd@dinov2-l14, and density and coverage, too.

    \b
    Examples:
      lepbench score images --generated samples/ --reference photos/ --extractor clip:my-clip
      lepbench score images --generated samples/ --reference photos/ --json \\
        --extractor torchscript:inception-2015-12-05.pt --sha256 HEX
      lepbench score images --generated samples/ --reference statistics/photos --judges judges.yaml
    """
    from lepbench.backbones import choose_device

    if judges is not None:
        if extractor is not None or sha256 is not None:
            raise LepbenchError("--judges and --extractor name networks both", "give one of them")
        _score_by_judges(generated, reference, judges, str(choose_device(device)), as_json=as_json)
        return
    from lepbench.bars import show_bars
    from lepbench.scoring.extractors import load_extractor
    from lepbench.scoring.images import require_sketchworld, score_images
    from lepbench.scoring.reference import is_statistics

    if extractor is None:
        for folder in (generated, *([] if is_statistics(reference) else [reference])):
            require_sketchworld(folder)
    network = load_extractor(extractor or "judge", sha256, str(choose_device(device)))
    with show_bars() as progress:
        scores = score_images(generated, reference, network, progress)
    for note in _list_notes(scores):
        say_note(note)
    click.echo(json.dumps(_image_object(scores)) if as_json else _image_lines(scores))


def _score_by_judges(generated: Path, reference: Path, judges: str, device: str, *, as_json: bool) -> None:
    from lepbench.api.judges import find_judges
    from lepbench.bars import show_bars
    from lepbench.scoring.judged import score_by_judges

    with show_bars() as progress:
        scores = score_by_judges(generated, reference, find_judges(judges), device=device, progress=progress)
    for note in _list_notes(scores[0].distances):
        say_note(note)
    figures = {name: value for one in scores for name, value in _judged_figures(one).items()}
    about = scores[0].distances
    counts = _image_object(about)
    if as_json:
        kept = ("n_generated", "n_reference", "repeated_generated", "repeated_reference", "shared")
        click.echo(json.dumps(figures | {name: counts[name] for name in kept}))
        return
    shown = {name: value for name, value in figures.items() if "_low@" not in name and "_high@" not in name}
    width = max(map(len, shown))
    for name, value in shown.items():
        click.echo(f"{name:<{width}}  {'none' if value is None else f'{value:.5f}'}{_bounds(figures, name)}")
    click.echo(f"{about.n_generated} against {about.n_reference} pictures")


def _bounds(figures: dict[str, float | None], name: str) -> str:
    figure, _, label = name.partition("@")
    low, high = (figures.get(f"{figure}_{end}@{label}") for end in ("low", "high"))
    return "" if low is None else f"  [{low:.5f}, {high:.5f}]"


def _judged_figures(scores: JudgedScores) -> dict[str, float | None]:
    """The figures of one judge as columns, `FIGURE@LABEL`."""
    judge, distances = scores.judge, scores.distances
    found: dict[str, float | None] = {
        judge.frechet: distances.frechet_distance,
        f"{judge.frechet}_bias": distances.frechet_bias,
    }
    intervals = {"kid": distances.kid, "density": scores.density, "coverage": scores.coverage}
    for name, interval in intervals.items():
        value, low, high = interval or (None, None, None)
        found |= {name: value, f"{name}_low": low, f"{name}_high": high}
    if distances.cmmd is not None:
        found["cmmd"] = distances.cmmd
    return {f"{name}@{judge.label}": value for name, value in found.items()}


def _list_notes(scores: ImageScores) -> list[str]:
    """What a reader of the figures must know of the sets."""
    notes = []
    if scores.extractor == "judge@1":
        notes.append("judge@1 learnt sketchworld alone: its figures mean nothing for other pictures")
    for name, repeated in (
        ("generated", scores.repeated_generated),
        ("reference", scores.repeated_reference),
    ):
        if repeated:
            notes.append(f"{repeated} of the {name} pictures have the same pixels as another of them")
    if scores.shared:
        notes.append(f"{scores.shared} pictures are in both folders: the distances are smaller for it")
    return notes


def _image_object(scores: ImageScores) -> dict[str, Any]:
    return {
        "frechet_distance": scores.frechet_distance,
        "frechet_bias": scores.frechet_bias,
        "kid": scores.kid.value,
        "kid_low": scores.kid.low,
        "kid_high": scores.kid.high,
        "cmmd": scores.cmmd,
        "n_generated": scores.n_generated,
        "n_reference": scores.n_reference,
        "repeated_generated": scores.repeated_generated,
        "repeated_reference": scores.repeated_reference,
        "shared": scores.shared,
        "extractor": scores.extractor,
    }


def _image_lines(scores: ImageScores) -> str:
    bias = f"of which about {scores.frechet_bias:.3g} is the bias at this n"
    figures = {
        "frechet_distance": f"{scores.frechet_distance:.4f}  {bias}",
        "kid": f"{scores.kid.value:.5f}  [{scores.kid.low:.5f}, {scores.kid.high:.5f}]",
    }
    if scores.cmmd is not None:
        figures["cmmd"] = f"{scores.cmmd:.4f}"
    names = [f"{name} (n = {scores.n_generated})" for name in figures]
    width = len(names[0])
    lines = [f"{name:<{width}}  {text}" for name, text in zip(names, figures.values(), strict=True)]
    return "\n".join(
        [*lines, f"{scores.n_generated} against {scores.n_reference} pictures by {scores.extractor}"]
    )
