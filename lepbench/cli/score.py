"""`lepbench score`: metrics of existing folders of files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lepbench.cli.verbs import VerbGroup

if TYPE_CHECKING:
    from lepbench.metrics.boundary import BoundaryScores
    from lepbench.scoring.edges import ProtocolScores
    from lepbench.scoring.images import ImageScores

FolderPath = click.Path(path_type=Path)


@click.group(cls=VerbGroup)
def command() -> None:
    """Score existing folders of edge maps or images.

    \b
    Examples:
      lepbench score boundaries --predictions edges/ --annotations groundTruth/test/
      lepbench score images --generated samples/ --reference photos/ --extractor clip:my-clip
      lepbench score edges --generated samples/ --reference photos/
    """


@command.command()
@click.option(
    "--predictions", type=FolderPath, required=True, help="Soft edge maps: NAME.png, or NAME.mat (ucm2)."
)
@click.option(
    "--annotations", type=FolderPath, required=True, help="BSDS ground truth: NAME.mat, or NAME.png."
)
@click.option("--thresholds", type=click.IntRange(min=1), default=99, show_default=True)
@click.option(
    "--max-dist",
    type=click.FloatRange(min=0, min_open=True),
    default=0.0075,
    show_default=True,
    help="Maximum distance of a match, as a share of the diagonal.",
)
@click.option("--nms", is_flag=True, help="Keep only local maxima across an edge before thresholding.")
@click.option("--no-thin", is_flag=True, help="Match thresholded maps without thinning.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes  [default: one a processor].")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def boundaries(
    predictions: Path,
    annotations: Path,
    thresholds: int,
    max_dist: float,
    nms: bool,
    no_thin: bool,
    workers: int | None,
    as_json: bool,
) -> None:
    """Score edge maps against human boundary annotations by the BSDS benchmark: ODS, OIS and AP.

    Published figures of edge networks (HED, PiDiNet) come from maps after non-maximum suppression: --nms.

    \b
    Examples:
      lepbench score boundaries --predictions edges/ --annotations groundTruth/test/
      lepbench score boundaries --predictions edges/ --annotations groundTruth/test/ --nms
      lepbench score boundaries --predictions ucm2/test --annotations groundTruth/test --no-thin --json
    """
    from lepbench.bars import show_bars
    from lepbench.scoring.boundaries import Rules, score_boundaries

    with show_bars() as progress:
        scores = score_boundaries(
            predictions,
            annotations,
            Rules(thresholds, max_dist, thinned=not no_thin, nms=nms),
            progress=progress,
            workers=workers,
        )
    if as_json:
        click.echo(json.dumps(_boundary_object(scores) | ({"nms": True} if nms else {})))
    else:
        click.echo(_boundary_lines(scores) + (", maps after non-maximum suppression" if nms else ""))


def _boundary_object(scores: BoundaryScores) -> dict[str, Any]:
    ois = scores.ois._asdict()
    del ois["threshold"]
    return {"ods": scores.ods._asdict(), "ois": ois, "ap": scores.ap, "images": scores.images}


def _boundary_lines(scores: BoundaryScores) -> str:
    lines = [f"{'':<4}{'f1':>8}{'recall':>10}{'precision':>11}{'threshold':>11}"]
    for name, point in (("ODS", scores.ods), ("OIS", scores.ois)):
        at = "own" if name == "OIS" else f"{point.threshold:.4f}"
        lines.append(f"{name:<4}{point.f1:>8.4f}{point.recall:>10.4f}{point.precision:>11.4f}{at:>11}")
    return "\n".join([*lines, f"AP  {scores.ap:>8.4f}", f"{scores.images} images"])


@command.command()
@click.option("--generated", type=FolderPath, required=True, help="Folder of generated images.")
@click.option("--reference", type=FolderPath, required=True, help="Folder of real images.")
@click.option(
    "--extractor",
    help="clip:FOLDER_OR_ID, dinov2:FOLDER_OR_ID, torchscript:FILE, torch-fidelity:FILE, torchmetrics:FILE, "
    "or judge, which knows sketchworld alone  [default: judge for pictures of sketchworld, none for others].",
)
@click.option("--sha256", help="Required hash of the extractor's FILE; torchscript needs it.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda or auto.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def images(
    generated: Path, reference: Path, extractor: str | None, sha256: str | None, device: str, as_json: bool
) -> None:
    """Compare two folders of images as distributions: Frechet distance, KID and, for CLIP, CMMD.

    Values are comparable only for the same extractor and numbers of images. With the Inception file of
    clean-fid as the extractor, the Frechet distance is the FID that clean-fid gives; likewise with that of
    torch-fidelity, whose resize differs from that of torchmetrics.

    \b
    Examples:
      lepbench score images --generated samples/ --reference photos/ --extractor clip:my-clip
      lepbench score images --generated samples/ --reference photos/ --json \\
        --extractor torchscript:inception-2015-12-05.pt --sha256 HEX
    """
    from lepbench.backbones import choose_device
    from lepbench.bars import show_bars
    from lepbench.scoring.extractors import load_extractor
    from lepbench.scoring.images import require_sketchworld, score_images

    if extractor is None:
        for folder in (generated, reference):
            require_sketchworld(folder)
    network = load_extractor(extractor or "judge", sha256, str(choose_device(device)))
    with show_bars() as progress:
        scores = score_images(generated, reference, network, progress)
    for note in _list_notes(scores):
        click.echo(note, err=True)
    click.echo(json.dumps(_image_object(scores)) if as_json else _image_lines(scores))


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


@command.command()
@click.option(
    "--generated",
    type=FolderPath,
    required=True,
    help="NAME-0.png, NAME-1.png, ..; or NAME.png; or folders that hold one NAME.png each.",
)
@click.option("--reference", type=FolderPath, required=True, help="Real images: NAME.png, .jpg, ..")
@click.option(
    "--protocol",
    default="controlnetpp-canny-v1",
    show_default=True,
    help="Or controlnetpp-hed-v1, controlnetpp-lineart-v1, which need --maps.",
)
@click.option("--maps", is_flag=True, help="Both folders hold edge maps (grey PNG, strokes bright on black).")
@click.option("--workers", type=click.IntRange(min=1), help="Processes  [default: one a processor].")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def edges(
    generated: Path, reference: Path, protocol: str, maps: bool, workers: int | None, as_json: bool
) -> None:
    """Compare the edges of generated images with those of real ones by a published protocol.

    A published "F1" of ControlNet++ is 100 times the strict one. The tolerant figures are
    means over images with 95 % intervals over prompts, and F1 of the pixels pooled over a prompt.

    \b
    Examples:
      lepbench score edges --generated samples/ --reference photos/
      lepbench score edges --generated samples/ --reference photos/ --protocol controlnetpp-canny-v1 --json
      lepbench score edges --generated hed-of-samples/ --reference hed-of-photos/ \\
        --protocol controlnetpp-hed-v1 --maps
    """
    from lepbench.bars import show_bars
    from lepbench.scoring.edges import score_edges
    from lepbench.scoring.protocols import PROTOCOLS

    rules = PROTOCOLS.get(protocol)
    with show_bars() as progress:
        scores = score_edges(
            generated, reference, protocol=rules, progress=progress, as_maps=maps, workers=workers
        )
    click.echo(json.dumps(_edge_object(scores)) if as_json else _edge_lines(scores))


def _edge_object(scores: ProtocolScores) -> dict[str, Any]:
    figures = scores.figures
    shown: dict[str, Any] = {
        "protocol": scores.protocol.name,
        "protocol_sha256": scores.protocol.sha256,
        "verified": not scores.unverified,
    }
    if scores.unverified:
        shown["reason"] = scores.unverified
    shown |= {"prompts": scores.prompts, "images_per_prompt": scores.images_per_prompt}
    if figures.strict is not None:
        shown["strict"] = figures.strict._asdict()
        shown["tolerant"] = [point._asdict() for point in figures.tolerant]
    if figures.ms_ssim is not None:
        shown["ms_ssim"] = figures.ms_ssim._asdict()
    return shown


def _edge_lines(scores: ProtocolScores) -> str:
    figures, lines = scores.figures, []
    if figures.strict is not None:
        lines += [f"{'':<8}{'f1':>8}{'precision':>11}{'recall':>8}{'interval of f1':>20}{'f1 pooled':>11}"]
        f1, precision, recall = figures.strict
        lines += [f"{'strict':<8}{f1:>8.4f}{precision:>11.4f}{recall:>8.4f}"]
    for point in figures.tolerant:
        between = f"[{point.low:.4f}, {point.high:.4f}]"
        lines.append(
            f"{point.tolerance_px} px{'':<4}{point.f1:>8.4f}{point.precision:>11.4f}{point.recall:>8.4f}"
            f"{between:>20}{point.f1_pooled:>11.4f}"
        )
    if figures.ms_ssim is not None:
        value, low, high = figures.ms_ssim
        lines.append(f"ms_ssim  {value:.4f}  [{low:.4f}, {high:.4f}]")
    lines.append(
        f"{scores.prompts} prompts, {scores.images_per_prompt} pictures each, by {_edge_label(scores)}"
    )
    return "\n".join([*lines, *([f"not verified: {scores.unverified}"] if scores.unverified else [])])


def _edge_label(scores: ProtocolScores) -> str:
    return f"{scores.protocol.name} (sha256 {scores.protocol.sha256})"
