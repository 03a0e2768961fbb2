"""Which figure can be cheated on photographs, and which on drawings? Those that need no network.

    python benchmarks/photograph_attacks.py --csv docs/photograph-attacks.csv [--pictures FOLDER]

Photographs: the sketch is the edge map of a photograph. `aligned` is that photograph under another texture,
displaced by 2 px (what a guided model makes), `unaligned` other photographs (what an unguided one makes).
Drawings: the sketch is a free-hand drawing of a scene of sketchworld at 512 px; `real` is that scene,
`unaligned` another. An attack on the unaligned pictures must not come near the aligned or real ones, and
one on those must not gain. Judges of content are networks and need a run: see `attacks.py`, which attacks
any finished run by its own protocol.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from attack_kinds import ATTACKS, SUBMISSIONS
from numpy.typing import NDArray
from photographs import SIZE, Picture, load_set, load_textures, retexture, warp
from torch import Tensor

from lepbench.detectors import Canny, Sobel, apply_soft_detector
from lepbench.images import to_pixels, to_tensor
from lepbench.metrics.chamfer import chamfer_distance
from lepbench.metrics.edges import edge_counts, pixels_of, precision_recall_f1
from lepbench.metrics.one_to_one import one_to_one_counts
from lepbench.metrics.soft import ms_ssim, soft_iou
from lepbench.metrics.statistics import bootstrap
from lepbench.metrics.strokes import stroke_recall
from lepbench.sketchworld import freehand, render, scene
from lepbench.strokes import number_strokes

TOLERANCES = {"0px": 0.0, "1px": 1.0, "2px": 2.0, "3px": 3.0, "0.0075d": pixels_of(0.0075, (SIZE, SIZE))}
PAIRED = {"2px": 2.0}
CHOSEN, LOW = Canny(low=0.3, high=0.6), Canny(low=0.1, high=0.2)
"""The detector of `photograph_thresholds.py`, and the one of flat pictures, for comparison."""
DRAWN = 12
"""Scenes of sketchworld, each drawn at every level."""
LEVELS = (1, 2)
FOLLOWED = 2.0
"""Displacement of an aligned picture, px."""


class Kind(NamedTuple):
    """Sketches and the honest pictures of each.

    Attributes:
        name: of the table's column `kind`.
        sketches: float32 [N, 1, H, W].
        strokes: number of the stroke on each pixel, int64 [N, H, W]; None where all are one.
        bases: honest pictures by name, float32 [N, 3, H, W] each.
        attacks: the attacks on each of them.
        reference: soft edges of each row's real picture, float32 [N, H, W]; None where no such is known.
        detector: finds the edges of what is submitted.
    """

    name: str
    sketches: Tensor
    strokes: Tensor | None
    bases: dict[str, Tensor]
    attacks: dict[str, list[str]]
    reference: Tensor | None
    detector: Canny


def photographs(pictures: list[Picture], detector: Canny) -> Kind:
    """The edge maps of photographs as sketches."""
    textures = load_textures()
    stack = to_tensor(np.stack([picture.pixels for picture in pictures]))
    followed = [
        warp(retexture(picture.pixels, textures[k % 3]), FOLLOWED, k) for k, picture in enumerate(pictures)
    ]
    bases = {"aligned": to_tensor(np.stack(followed)), "unaligned": stack.roll(1, 0)}
    sketches = detector(stack).float()[:, None]
    return Kind(
        f"photographs {detector.low}/{detector.high}",
        sketches=sketches,
        strokes=None,
        bases={**bases, "real": stack},
        attacks={"aligned": list(ATTACKS), "unaligned": list(ATTACKS), "real": ["overlay"]},
        reference=find_soft(stack),
        detector=detector,
    )


def drawings(level: int, detector: Canny) -> Kind:
    """Free-hand drawings of scenes at one level of abstraction."""
    scenes = [scene("test", index) for index in range(DRAWN)]
    drawn = [[stroke.points for stroke in freehand(one, level, SIZE).strokes] for one in scenes]
    strokes = torch.from_numpy(np.stack([number_strokes(d, SIZE).astype(np.int64) for d in drawn]))
    stack = to_tensor(np.stack([render(one, SIZE).image for one in scenes]))
    return Kind(
        f"drawings, level {level}, {detector.low}/{detector.high}",
        sketches=(strokes > 0).float()[:, None],
        strokes=strokes,
        bases={"real": stack, "unaligned": stack.roll(1, 0)},
        attacks={"real": list(ATTACKS), "unaligned": list(ATTACKS)},
        reference=None,
        detector=detector,
    )


def submissions(kind: Kind) -> Iterator[tuple[str, Tensor]]:
    """What is submitted, by name: honest pictures, attacks on each, and what the sketch alone makes."""
    for base, pictures in kind.bases.items():
        yield base, pictures
        for name in kind.attacks[base]:
            attack, strengths = ATTACKS[name]
            for strength in strengths:
                yield f"{base}/{name}/{strength:g}", attack(pictures, kind.sketches, strength)
    for name, make in SUBMISSIONS.items():
        yield name, make(kind.sketches)


def measure(kind: Kind, pictures: Tensor) -> dict[str, NDArray[np.float64]]:
    """Every candidate of every picture as it would be stored, [N] each."""
    stored = to_tensor(to_pixels(pictures))
    found, wanted = kind.detector(stored), kind.sketches[:, 0] > 0
    edges = precision_recall_f1(edge_counts(found, wanted, tuple(TOLERANCES.values())))
    paired = precision_recall_f1(one_to_one_counts(found, wanted, tuple(PAIRED.values()))).f1
    strokes = stroke_recall(found, wanted.long() if kind.strokes is None else kind.strokes, 2.0)
    at = list(TOLERANCES).index("2px")
    figures = {
        **{f"edge_f1_{label}": edges.f1[:, k] for k, label in enumerate(TOLERANCES)},
        "edge_precision_2px": edges.precision[:, at],
        "edge_recall_2px": edges.recall[:, at],
        **{f"paired_f1_{label}": paired[:, k] for k, label in enumerate(PAIRED)},
        "stroke_recall_2px": strokes.recall,
        "strokes_found_2px": strokes.found,
        "chamfer_px": chamfer_distance(found, wanted),
    }
    if kind.reference is not None:
        soft = (find_soft(stored), kind.reference)
        figures |= {"soft_iou": soft_iou(*soft), "ms_ssim": ms_ssim(*soft)}
    return figures


def find_soft(pictures: Tensor) -> Tensor:
    """Soft edges as in the protocols, a picture at a time: float32 [N, H, W] in [0, 1]."""
    detector = Sobel(sigma=0.7, thin=False)
    return torch.cat([apply_soft_detector(detector, one) for one in pictures.split(1)])


def table(kind: Kind) -> pd.DataFrame:
    """A line a submission: the mean of every candidate, and the 95 % interval of edge F1 at 2 px."""
    lines = []
    for name, pictures in submissions(kind):
        figures = measure(kind, pictures)
        interval = bootstrap(figures["edge_f1_2px"], seed=0).interval()
        ends = {"edge_f1_2px_low": interval.low, "edge_f1_2px_high": interval.high}
        lines.append({"kind": kind.name, "set": name, **{n: v.mean() for n, v in figures.items()}, **ends})
        print(kind.name, name, flush=True)
    return pd.DataFrame(lines).round(4)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--pictures", default="natural", help="a set of photographs.py, or a folder")
    parser.add_argument("--kind", choices=("photographs", "drawings"), action="append")
    chosen = parser.parse_args()
    kinds = chosen.kind or ["photographs", "drawings"]
    tables = []
    if "photographs" in kinds:
        pictures = load_set(chosen.pictures)
        tables += [table(photographs(pictures, detector)) for detector in (CHOSEN, LOW)]
    if "drawings" in kinds:
        tables += [table(drawings(level, CHOSEN)) for level in LEVELS]
    found = pd.concat(tables)
    found.to_csv(chosen.csv, index=False)
    print(found.to_string(index=False))


if __name__ == "__main__":
    main()
