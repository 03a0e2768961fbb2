"""`lepbench score`: metrics of existing folders of files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lepbench.cli.score_captions import captions
from lepbench.cli.score_images import images
from lepbench.cli.score_sketches import sketches
from lepbench.cli.verbs import VerbGroup

if TYPE_CHECKING:
    from lepbench.metrics.boundary import BoundaryScores
    from lepbench.scoring.edges import ProtocolScores

FolderPath = click.Path(path_type=Path)


@click.group(cls=VerbGroup)
def command() -> None:
    """Score existing folders of edge maps or images, against maps, images, sketches or captions.

    \b
    Examples:
      lepbench score boundaries --predictions edges/ --annotations groundTruth/test/
      lepbench score images --generated samples/ --reference photos/ --extractor clip:my-clip
      lepbench score edges --generated samples/ --reference photos/
      lepbench score sketches --generated samples/ --sketches sketches/
      lepbench score captions --generated samples/ --captions prompts.csv
    """


for _verb in (images, sketches, captions):
    command.add_command(_verb)


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
