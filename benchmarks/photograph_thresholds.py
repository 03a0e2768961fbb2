"""Which thresholds of Canny measure outlines of photographs, and which their texture?

    python benchmarks/photograph_thresholds.py --csv docs/photograph-thresholds.csv \\
        --figure docs/photograph-thresholds.png [--set natural] [--set FOLDER]

Pictures are changed in steps of a known order, and their edges are compared with the right map: of
photographs that of the picture as it was; of sketchworld the exact contours, under photographed texture.
Good thresholds fall with every step, lie far above the edges of another picture, and do not react to changes
that move no outline. A line of the table is a mean over pictures, with 95 % intervals; stdout sums it up.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from numpy.typing import NDArray
from photograph_changes import AMPLITUDES, GUIDED, LADDERS, NUISANCES, RENDERED, SETS, guide, read_set
from photographs import SIZE
from scipy.stats import spearmanr

from lepbench.detectors import Canny
from lepbench.images import Pixels, to_tensor
from lepbench.metrics.edges import edge_counts, pixels_of, precision_recall_f1
from lepbench.metrics.statistics import bootstrap

Maps = NDArray[np.bool_]

THRESHOLDS = ((0.05, 0.1), (0.1, 0.2), (0.15, 0.3), (0.2, 0.4), (0.3, 0.6), (0.4, 0.8))
TOLERANCES = {"1px": 1.0, "2px": 2.0, "3px": 3.0, "0.0075d": pixels_of(0.0075, (SIZE, SIZE))}
EMPTY = 0.005
"""Share of the pixels below which a map holds next to nothing: 1,311 of 512 x 512."""
FLOOR = "another picture"
COLOURS = ("#9fd3b5", "#3fa7c4", "#13699f", "#0b2545", "#b5402a", "#e0a030")
"""Of the pairs of thresholds."""
UNITS = {
    "guided": "displaced, px",
    "warp": "displaced, px",
    "fade": "share of another picture",
    "coarse": "times coarser",
    "texture": "texture",
}
"""The changes that are drawn."""


def find_edges(pixels: Sequence[Pixels], thresholds: tuple[float, float]) -> Maps:
    """Edges of pictures, bool [N, H, W]."""
    low, high = thresholds
    detector = Canny(low=low, high=high)
    return np.concatenate([detector(to_tensor(one)[None]).numpy() for one in pixels])


def measure(found: Maps, right: Maps) -> pd.DataFrame:
    """A line a map: F1 at every tolerance, precision and recall at 2 px, and the share of edge pixels."""
    pair = (torch.from_numpy(found), torch.from_numpy(right))
    scores = precision_recall_f1(edge_counts(*pair, tuple(TOLERANCES.values())))
    columns = {f"f1_{label}": scores.f1[:, k] for k, label in enumerate(TOLERANCES)}
    at = list(TOLERANCES).index("2px")
    columns |= {"precision_2px": scores.precision[:, at], "recall_2px": scores.recall[:, at]}
    return pd.DataFrame({**columns, "edges": found.mean(axis=(1, 2)), "item": np.arange(len(found))})


def measure_set(name: str) -> pd.DataFrame:
    """Every figure of every picture at every change and pair of thresholds."""
    of = read_set(name)
    originals = [picture.pixels for picture in of.pictures]
    right = {t: find_edges(originals, t) if of.contours is None else of.contours for t in THRESHOLDS}
    lines = []

    def add(pixels: list[Pixels], change: str, strength: float, shift: int = 0) -> None:
        for t in THRESHOLDS:
            found = measure(np.roll(find_edges(pixels, t), shift, axis=0), right[t])
            found["set"], found["low"], found["high"] = name, *t
            found["change"], found["strength"] = change, strength
            lines.append(found)

    for change, (make, strengths) in (LADDERS | NUISANCES if of.contours is None else RENDERED).items():
        for strength in strengths:
            add([make(of, k, strength) for k in range(len(originals))], change, strength)
        print(name, change, flush=True)
    others = [guide(of, k, 0.0) for k in range(len(originals))]
    for shift in range(1, min(len(originals), 8)):
        add(others, FLOOR, shift, shift)
    return pd.concat(lines)


def average(each: pd.DataFrame) -> pd.DataFrame:
    """Means over pictures, and 95 % intervals of F1 at 1 px and 2 px."""
    keys = ["set", "low", "high", "change", "strength"]
    means = each.groupby(keys, sort=False).mean().drop(columns="item")
    for figure in ("f1_1px", "f1_2px"):
        ends = each.groupby(keys, sort=False)[figure].apply(lambda v: bootstrap(v, seed=0).interval()[1:])
        means[f"{figure}_low"], means[f"{figure}_high"] = zip(*ends, strict=True)
    return means.reset_index().round(4)


def summarise(each: pd.DataFrame, figure: str) -> dict[str, str]:
    """What one figure at one pair of thresholds says of one set."""
    ladder = each[each["change"] == "guided"].pivot(index="item", columns="strength", values=figure)
    floor = each[each["change"] == FLOOR].groupby("item")[figure].mean()
    # Every kind of change weighs the same, at however many strengths it is made.
    kinds = each[each["change"].isin(NUISANCES)].groupby(["item", "change"])[figure].mean()
    unmoved = kinds.groupby("item").mean()
    steps = -np.diff(ladder[list(AMPLITUDES[1:5])].to_numpy(), axis=1)
    spread = ladder[GUIDED] - floor
    return {
        "order": write([rank(row) for _, row in ladder.iterrows()]),
        "guided": write(ladder[GUIDED]),
        "floor": write(floor),
        "range": write(spread),
        "step / sd": f"{(steps.mean(axis=0) / steps.std(axis=0, ddof=1)).mean():.2f}",
        "unmoved": write(unmoved),
        "lost / range": f"{(1 - unmoved).mean() / spread.mean():.2f}",
    }


def rank(course: pd.Series) -> float:
    """Spearman's correlation of a falling course with its strengths; 0 if nothing changes."""
    return float(spearmanr(course.index, -course).statistic) if course.nunique() > 1 else 0.0


def write(values: Sequence[float] | pd.Series) -> str:
    """A mean with its interval over pictures."""
    value, low, high = bootstrap(np.asarray(values), seed=0).interval()
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


def draw(means: pd.DataFrame, path: Path) -> None:
    """A row a set, a column a change: F1 at 2 px, a line a pair of thresholds, the floor dotted."""
    from matplotlib.figure import Figure

    sets = list(means["set"].unique())
    canvas = Figure(figsize=(11, 2.4 * len(sets)), dpi=100, layout="constrained")
    grid = canvas.subplots(len(sets), len(UNITS), squeeze=False)
    for row, name in enumerate(sets):
        of = means[means["set"] == name]
        for axes, (change, unit) in zip(grid[row], UNITS.items(), strict=True):
            draw_panel(axes, of[of["change"] == change], of[of["change"] == FLOOR])
            axes.set_title(f"{name}: {change}", fontsize=9)
            axes.set_xlabel(unit, fontsize=8)
    grid[0, 0].legend(frameon=False, fontsize=7, ncols=2, loc="lower left")
    canvas.suptitle("edge F1 at 2 px by thresholds of Canny; dotted: edges of another picture", fontsize=9)
    canvas.savefig(path, metadata={"Software": None} if path.suffix == ".png" else None)


def draw_panel(axes: Axes, lines: pd.DataFrame, floors: pd.DataFrame) -> None:
    """One change of one set; nothing where the set is not changed so."""
    axes.set_visible(len(lines) > 0)
    for colour, (low, high) in zip(COLOURS, THRESHOLDS, strict=True):
        line = lines[lines["low"] == low]
        label = f"{low}/{high}"
        axes.plot(line["strength"], line["f1_2px"], "o-", color=colour, ms=3, lw=1.4, label=label)
        axes.axhline(floors[floors["low"] == low]["f1_2px"].mean(), color=colour, lw=0.8, ls=":")
    axes.set_ylim(0, 1.03)
    axes.grid(color="#e6e6e6", lw=0.6)
    axes.tick_params(labelsize=8)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--set", action="append", dest="sets", help=f"of {', '.join(SETS)}, or a folder")
    chosen = parser.parse_args()
    each = pd.concat([measure_set(name) for name in chosen.sets or SETS])
    means = average(each)
    if chosen.csv:
        means.to_csv(chosen.csv, index=False)
    if chosen.figure:
        draw(means, chosen.figure)
    print(tabulate(each).to_string(index=False))


def tabulate(each: pd.DataFrame) -> pd.DataFrame:
    """The summary of every set, figure and pair of thresholds, a line each."""
    lines = []
    for (name, low, high), part in each.groupby(["set", "low", "high"], sort=False):
        # Of photographs `warp` leaves the picture as it is at strength 0, of sketchworld `texture` does.
        still = "warp" if "warp" in part["change"].to_numpy() else "texture"
        unchanged = part[(part["change"] == still) & (part["strength"] == 0)]["edges"]
        about = {"set": name, "thresholds": f"{low}/{high}", "edges": f"{unchanged.mean():.3f}"}
        about["empty"] = f"{(unchanged < EMPTY).mean():.2f}"
        lines += [{**about, "figure": label, **summarise(part, f"f1_{label}")} for label in TOLERANCES]
    return pd.DataFrame(lines).sort_values(["set", "figure"], kind="stable")


if __name__ == "__main__":
    main()
