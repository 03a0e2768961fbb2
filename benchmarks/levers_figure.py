"""The tables `levers` and `live` of `benchmarks/guidance.py` as a picture: quality against time.

    python benchmarks/levers_figure.py docs/levers.csv docs/live.csv --out docs/levers.png

Bars are 95 % intervals; the line is the Pareto front; its points and the presets are named. Tables were timed
apart: times of a later one are multiplied so that both have the same time of `fast`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from guidance_figure import spread, style_axes
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lepbench.metrics.front import find_front

TITLES = {"edge_f1_1px": "edge F1 at 1 px", "clip_skill": "CLIP skill", "faithful_f1": "faithful F1"}
COST = "processor_ms"
PLAIN, FRONT = "#9aa7b1", "#13699f"
FAST = "fast"
PRESETS = (FAST, "turbo", "live")


def draw_front(axes: Axes, table: pd.DataFrame, metric: str) -> None:
    """A figure against the time of an image, one point a line of the table."""
    bars = [below.clip(lower=0) for below in spread(table, metric)]
    axes.errorbar(table[COST], table[metric], bars, fmt="o", ms=4, lw=0.8, color=PLAIN)
    on_front = find_front(pd.concat([-table[COST], table[metric]], axis=1))
    front = table[on_front].sort_values(COST)
    axes.plot(front[COST], front[metric], "o-", ms=4, lw=1.2, color=FRONT, drawstyle="steps-post", zorder=3)
    for _, line in table[on_front | table["variant"].isin(PRESETS)].iterrows():
        place = (line[COST], line[metric])
        near = line[COST] < table[COST].max() / 4
        axes.annotate(
            line["variant"],
            place,
            (4 if near else -4, 5),
            textcoords="offset points",
            ha="left" if near else "right",
            fontsize=7,
            color="#333333",
        )
    axes.set(xlabel="milliseconds an image, one core", title=TITLES[metric])
    axes.set_xlim(left=0)
    style_axes(axes)


def join_tables(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All lines, with times as the first table has them, and its `fast` alone."""
    times = [table.set_index("variant")[COST][FAST] for table in tables]
    scaled = [
        table.assign(**{COST: table[COST] * times[0] / time})
        for table, time in zip(tables, times, strict=True)
    ]
    later = [table[table["variant"] != FAST] for table in scaled[1:]]
    return pd.concat([scaled[0], *later], ignore_index=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="+", type=Path, metavar="TABLE")
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    table = join_tables([pd.read_csv(path) for path in chosen.tables])
    canvas = Figure(figsize=(12, 4), dpi=100, layout="constrained")
    for axes, metric in zip(canvas.subplots(1, len(TITLES)), TITLES, strict=True):
        draw_front(axes, table, metric)
    canvas.savefig(chosen.out, metadata={"Software": None})


if __name__ == "__main__":
    main()
