"""Which figure can be cheated? Pictures of a finished run, attacked, scored by candidates for the headline.

    python benchmarks/attacks.py runs/mini-lep --out docs/attacks.csv
    python benchmarks/attacks.py runs/mini-lep-freehand --out docs/attacks-freehand.csv

An attack on the unguided pictures must not come near the guided ones, and an attack on the guided ones must
not gain. A line is printed for each: the run's rows, then base, attack, strength and every candidate.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from kornia.filters import gaussian_blur2d
from numpy.typing import NDArray
from torch import Tensor

from lepbench.evaluation.judges import load_judges
from lepbench.evaluation.layout import SAMPLES, locate_picture
from lepbench.evaluation.protocols import select_protocol
from lepbench.evaluation.record import read_record
from lepbench.evaluation.sample import make_batches
from lepbench.evaluation.score import score_pictures
from lepbench.evaluation.summary import resample_conditions
from lepbench.images import Pixels, open_rgb, to_pixels, to_tensor
from lepbench.suites import load_suite

Attack = Callable[[Tensor, Tensor, float], Tensor]


def lined(pictures: Tensor, lines: Tensor, opacity: float) -> Tensor:
    """Lines [B, 1, H, W] in [0, 1] laid on pictures, black or white, whichever stands out on each."""
    luma = (pictures * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
    under = (luma * lines).sum((2, 3), keepdim=True) / lines.sum((2, 3), keepdim=True).clamp_min(1)
    ink = (under < 0.5).float()
    return pictures + opacity * lines * (ink - pictures)


def overlay(pictures: Tensor, sketches: Tensor, opacity: float) -> Tensor:
    """The sketch drawn on the picture."""
    return lined(pictures, sketches, opacity)


def halo(pictures: Tensor, sketches: Tensor, opacity: float) -> Tensor:
    """A soft glow along the sketch."""
    return lined(pictures, (2 * gaussian_blur2d(sketches, (7, 7), (1.0, 1.0))).clamp(0, 1), opacity)


def blur(pictures: Tensor, sketches: Tensor, sigma: float) -> Tensor:
    """The picture out of focus by `sigma` px."""
    return gaussian_blur2d(pictures, (15, 15), (sigma, sigma))


def displacement(pictures: Tensor, sketches: Tensor, pixels: float) -> Tensor:
    """The picture moved down and right."""
    return pictures.roll((int(pixels), int(pixels)), dims=(2, 3))


ATTACKS: dict[str, tuple[Attack, tuple[float, ...]]] = {
    "overlay": (overlay, (0.1, 0.25, 0.5, 1.0)),
    "halo": (halo, (0.1, 0.25, 0.5, 1.0)),
    "blur": (blur, (0.6, 1.2, 2.0, 3.2)),
    "displacement": (displacement, (1, 2, 4, 8)),
}
CANDIDATES = (
    "faithful_f1",
    "faithful_iou",
    "edge_f1_1px",
    "edge_f1_2px",
    "paired_f1_1px",
    "edge_f1_1px_contour",
    "stroke_recall_2px",
    "chamfer_px",
    "soft_iou",
    "ms_ssim",
    "mask_iou",
    "clip_skill",
    "sketch_similarity",
    "class_accuracy",
    "kid",
)


def harmonic(*parts: float) -> float:
    """Harmonic mean of parts clipped to [0, 1]; 0 if one is."""
    clipped = np.clip(parts, 0, 1)
    return float(len(clipped) / (1 / np.maximum(clipped, 1e-9)).sum()) if clipped.min() > 0 else 0.0


def candidates(figures: dict[str, float]) -> dict[str, float]:
    """What might be the headline, from the figures of one set that its protocol has."""
    found = {name: figures[name] for name in CANDIDATES if name in figures}
    edges, iou, skill = (figures[name] for name in ("edge_f1_1px", "mask_iou", "clip_skill"))
    return {**found, "edges_iou": harmonic(edges, iou), "edges_iou_skill": harmonic(edges, iou, skill)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    record = read_record(arguments.run)
    suite = load_suite(record.identity.suite)
    protocol = select_protocol(suite)
    judges = load_judges(protocol)
    batch = [
        s for u in make_batches(suite, suite.items(record.identity.items), 1, protocol.batch_size) for s in u
    ]
    sketches = torch.from_numpy(np.stack([s.item.sketch for s in batch])).float()[:, None]

    def frame(row: str, pixels: NDArray[np.uint8]) -> pd.DataFrame:
        parts = [slice(k, k + 32) for k in range(0, len(batch), 32)]
        columns = [
            c
            for p in parts
            for c in score_pictures(
                pixels[p], batch[p], truths=[s.item for s in batch[p]], judges=judges, protocol=protocol
            )
        ]
        names: dict[str, Any] = {
            "row": row,
            "item_id": [s.item.item_id for s in batch],
            "sample_index": 0,
            "status": "ok",
        }
        return pd.DataFrame(columns).assign(**names)

    stored = pd.read_parquet(arguments.run / SAMPLES)
    sets = [stored[stored["row"].isin(["real", "unguided", "model", "overlay"])]]
    for base in ("unguided", "model"):
        pictures = to_tensor(read(arguments.run, base, [s.item.item_id for s in batch]))
        for name, (attack, strengths) in ATTACKS.items():
            for strength in strengths:
                attacked = to_pixels(attack(pictures, sketches, strength))
                sets.append(frame(f"{base}/{name}/{strength:g}", attacked))
                print(sets[-1]["row"][0], flush=True)
    found = resample_conditions(pd.concat(sets), judges.statistics, protocol)
    lines = {row: candidates({name: d.value for name, d in drawn.items()}) for row, drawn in found.items()}
    table = pd.DataFrame(lines).T.round(4).rename_axis("set")
    table.to_csv(arguments.out)
    print(table.to_string())


def read(run: Path, row: str, items: list[str]) -> Pixels:
    """A row's pictures of a finished run."""
    return np.stack([np.asarray(open_rgb(locate_picture(run, row, item))) for item in items])


if __name__ == "__main__":
    main()
