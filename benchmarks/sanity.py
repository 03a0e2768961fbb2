"""Do the figures behave? A known edge map, degraded in four controlled ways, and what each figure says of it.

    python benchmarks/sanity.py --csv docs/sanity.csv --figure docs/sanity.png

The maps are contours of sketchworld's test scenes. A line of the table is the mean over scenes at one size,
one degradation and one strength.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter
from torch import Tensor

from lepbench.metrics.chamfer import chamfer_distance
from lepbench.metrics.edges import EdgeCounts, edge_counts, precision_recall_f1, share_of, within
from lepbench.metrics.one_to_one import one_to_one_counts
from lepbench.metrics.soft import ms_ssim, soft_iou
from lepbench.metrics.strokes import stroke_recall
from lepbench.sketchworld import freehand, scene
from lepbench.strokes import number_strokes

Maps = NDArray[np.bool_]
Degradation = Callable[[Maps, float], Maps]

SIZES = (64, 256)
SEED = 0
TOLERANCES = (0, 1, 2, 3)
SOFTNESS = 1.0
"""Sigma in px of the blur that makes soft maps of binary ones."""


class Known(NamedTuple):
    """Right maps, bool [N, H, W], and the number of the stroke each of their pixels is of, int [N, H, W]."""

    edges: Maps
    strokes: NDArray[np.int64]


def known_maps(count: int, size: int) -> Known:
    """Contours of the first scenes of the test split, every pixel given to the nearest visible stroke."""
    edges, strokes = [], []
    for index in range(count):
        drawn = freehand(scene("test", index), 0, size)
        numbers = number_strokes([stroke.points for stroke in drawn.strokes], size).astype(np.int64)
        nearest = distance_transform_edt(numbers == 0, return_distances=False, return_indices=True)
        edges.append(drawn.raster)
        strokes.append(numbers[tuple(nearest)] * drawn.raster)
    return Known(np.stack(edges), np.stack(strokes))


def displaced(maps: Maps, pixels: float) -> Maps:
    """Each map moved as a whole, one after the other right, down, left and up; what leaves it is lost."""
    moved = np.zeros_like(maps)
    step = int(pixels)
    for number, one in enumerate(maps):
        turned = np.rot90(one, number % 4)
        moved[number] = np.rot90(np.pad(turned, ((0, 0), (step, 0)))[:, : turned.shape[1]], -(number % 4))
    return moved


def dilated(maps: Maps, pixels: float) -> Maps:
    """Lines thickened by a disc of that radius."""
    return within(maps, pixels)


def dropped(maps: Maps, share: float) -> Maps:
    """Without that share of the pixels; what is gone at one share is gone at every larger one."""
    return maps & (chances(maps) >= share)


def noisy(maps: Maps, share: float) -> Maps:
    """With that share of all pixels set; what is set at one share is set at every larger one."""
    return maps | (chances(maps) < share)


def chances(maps: Maps) -> NDArray[np.float64]:
    """A number in [0, 1) a pixel, which depends on the map's place in the stack alone."""
    return np.stack([np.random.default_rng([SEED, k]).random(one.shape) for k, one in enumerate(maps)])


DEGRADATIONS: dict[str, tuple[Degradation, tuple[float, ...], str]] = {
    "displacement": (displaced, (0, 1, 2, 3, 4, 5, 6), "px"),
    "dilation": (dilated, (0, 1, 2, 3, 4), "px"),
    "dropout": (dropped, tuple(k / 10 for k in range(10)), "share of edge pixels"),
    "noise": (noisy, (0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2), "share of all pixels"),
}


FLOORS: dict[str, Degradation] = {
    "blank": lambda maps, _: np.zeros_like(maps),
    "another scene": lambda maps, _: np.roll(maps, 1, axis=0),
}
"""Maps that deserve nothing."""


def figures(degraded: Maps, known: Known) -> dict[str, NDArray[np.float64]]:
    """Every figure of every map, [N] each."""
    predicted, target = torch.from_numpy(degraded), torch.from_numpy(known.edges)
    soft = (blurred(degraded), blurred(known.edges))
    chamfer = chamfer_distance(predicted, target)
    strokes = stroke_recall(predicted, torch.from_numpy(known.strokes), 1.0)
    return {
        **by_tolerance(edge_counts(predicted, target, TOLERANCES), ""),
        **by_tolerance(one_to_one_counts(predicted, target, TOLERANCES), "one_to_one_"),
        "chamfer_px": chamfer,
        "chamfer_share": chamfer * share_of(1.0, predicted.shape),
        "soft_iou": soft_iou(*soft),
        "ms_ssim": ms_ssim(*soft),
        "stroke_recall_1px": strokes.recall,
        "strokes_found_1px": strokes.found,
    }


def by_tolerance(counts: EdgeCounts, prefix: str) -> dict[str, NDArray[np.float64]]:
    """Columns such as `one_to_one_f1_2px`."""
    scores = precision_recall_f1(counts)._asdict().items()
    return {
        f"{prefix}{name}_{t}px": values[:, column]
        for name, values in scores
        for column, t in enumerate(TOLERANCES)
    }


def blurred(maps: Maps) -> Tensor:
    """Soft maps, float64 [N, H, W] in [0, 1]."""
    sigmas = (0, SOFTNESS, SOFTNESS)
    return torch.from_numpy(gaussian_filter(maps.astype(np.float64), sigmas).clip(0, 1))


def table(scenes: int, size: int) -> pd.DataFrame:
    """Mean figures of every degradation at every strength, a line each, and of the floors."""
    known = known_maps(scenes, size)
    cases = [(name, strength, make) for name, (make, s, _) in DEGRADATIONS.items() for strength in s]
    lines = []
    for name, strength, make in [*cases, *((name, 1, make) for name, make in FLOORS.items())]:
        means = {k: v.mean() for k, v in figures(make(known.edges, strength), known).items()}
        lines.append({"size": size, "degradation": name, "strength": strength, **means})
    return pd.DataFrame(lines)


ROWS: dict[str, dict[str, str]] = {
    "F1 by distance": {f"f1_{t}px": f"{t} px" for t in TOLERANCES},
    "F1, one to one": {f"one_to_one_f1_{t}px": f"{t} px" for t in TOLERANCES},
    "at 1 px": {
        "precision_1px": "precision",
        "recall_1px": "recall",
        "stroke_recall_1px": "stroke recall",
    },
    "soft maps": {"soft_iou": "soft IoU", "ms_ssim": "MS-SSIM"},
    "Chamfer / diagonal": {"chamfer_share": "Chamfer"},
}
BY_TOLERANCE = ("#0b2545", "#13699f", "#3fa7c4", "#9fd3b5")
BY_FIGURE = ("#b5402a", "#13699f", "#e0a030")
RIGHT, TOO_MUCH, MISSED = (0.13, 0.13, 0.13), (0.88, 0.42, 0.22), (0.62, 0.80, 0.92)
SHOWN = {"displacement": 3, "dilation": 2, "dropout": 0.5, "noise": 0.05}


def draw(frame: pd.DataFrame, path: Path) -> None:
    """Small multiples: a column a degradation, a row a family of figures, an example above."""
    from matplotlib.figure import Figure

    canvas = Figure(figsize=(10, 10), dpi=100, layout="constrained")
    grid = canvas.subplots(1 + len(ROWS), len(DEGRADATIONS), height_ratios=[1.15, *[1] * len(ROWS)])
    known = known_maps(1, SIZES[0])
    for column, (name, (degrade, _, unit)) in enumerate(DEGRADATIONS.items()):
        strength = SHOWN[name]
        example(grid[0, column], known.edges[0], degrade(known.edges, strength)[0])
        grid[0, column].set_title(f"{name}, here {strength:g}{' px' if unit == 'px' else ''}", fontsize=10)
        grid[-1, column].set_xlabel(f"{name}, {unit}", fontsize=9)
        for row, labels in enumerate(ROWS.values(), start=1):
            panel(grid[row, column], frame[frame["degradation"] == name], labels)
            grid[row, column].tick_params(
                labelbottom=row == len(ROWS), labelleft=column == 0, labelsize=8, length=2
            )
    for row, (title, labels) in enumerate(ROWS.items(), start=1):
        finish_row(grid[row], title, row == len(ROWS), legend=len(labels) > 1)
    maps = "maps: black right, orange too much, blue missed"
    lines = f"lines: solid {SIZES[0]} px, dotted {SIZES[1]} px pictures"
    canvas.suptitle(f"{maps}      {lines}", fontsize=9, color="#555555")
    canvas.savefig(path, metadata={"Software": None} if path.suffix == ".png" else None)


def example(axes: Axes, true: Maps, degraded: Maps) -> None:
    """One map: right pixels, pixels too much, pixels missed."""
    picture = np.ones((*true.shape, 3))
    picture[true & degraded], picture[degraded & ~true], picture[true & ~degraded] = RIGHT, TOO_MUCH, MISSED
    axes.imshow(picture, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    for side in axes.spines.values():
        side.set_color("#cccccc")


def panel(axes: Axes, lines: pd.DataFrame, labels: dict[str, str]) -> None:
    """The figures of one family against the strength of one degradation."""
    colours = BY_TOLERANCE if len(labels) == len(TOLERANCES) else BY_FIGURE
    for size, style in zip(SIZES, ("-", ":"), strict=True):
        chosen = lines[lines["size"] == size]
        for order, (figure, label) in enumerate(labels.items()):
            # The first on top and the thinnest, so that lines that coincide are all seen.
            look: dict[str, Any] = {"color": colours[order], "lw": 1.4 + 0.6 * order, "zorder": 9 - order}
            shown = label if size == SIZES[0] else None
            axes.plot(chosen["strength"], chosen[figure], style, label=shown, **look)
    axes.grid(color="#e6e6e6", lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)


def finish_row(row: np.ndarray, title: str, chamfer: bool, legend: bool) -> None:
    """One scale for the whole row, its name at the left and its legend at the right."""
    top = max(axes.get_ylim()[1] for axes in row)
    for axes in row:
        axes.set_ylim((0, top) if chamfer else (-0.03, 1.05))
    row[0].set_ylabel(title, fontsize=9)
    if legend:
        row[-1].legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, fontsize=8)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--scenes", type=int, nargs=2, default=(64, 16), help="at each of the two sizes")
    chosen = parser.parse_args()
    frames = [table(count, size) for count, size in zip(chosen.scenes, SIZES, strict=True)]
    frame = pd.concat(frames).round(4)
    frame.to_csv(chosen.csv, index=False)
    if chosen.figure:
        draw(frame, chosen.figure)


if __name__ == "__main__":
    main()
