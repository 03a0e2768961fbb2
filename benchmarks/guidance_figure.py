"""The tables of `benchmarks/guidance.py` as a picture: what a pass buys, and what the stop time costs.

    python benchmarks/guidance_figure.py docs/guidance.csv docs/stop.csv --out docs/guidance.png

Bars are 95 % intervals.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

PLAIN, NAMED = "#9aa7b1", {"paper": "#b5402a", "unipc-20": "#13699f"}
LABELS = {"paper": "paper", "unipc-20": "fast"}
CURVES = {
    "edge_recall_1px": ("edge recall 1 px", "#13699f"),
    "edge_f1_1px": ("edge F1 1 px", "#3fa7c4"),
    "clip_skill": ("CLIP skill", "#e0a030"),
}


def spread(table: pd.DataFrame, metric: str) -> list[pd.Series]:
    """Lengths of the bars below and above each figure."""
    return [table[metric] - table[f"{metric}_low"], table[f"{metric}_high"] - table[metric]]


def front(axes: Axes, table: pd.DataFrame, metric: str, title: str) -> None:
    """A figure against the U-Net passes a picture, one point a variant."""
    for (_, line), low, high in zip(table.iterrows(), *spread(table, metric), strict=True):
        colour = NAMED.get(line["variant"], PLAIN)
        look: dict[str, Any] = {
            "fmt": "o",
            "ms": 5,
            "lw": 1.2,
            "color": colour,
            "zorder": 3 if colour != PLAIN else 2,
        }
        axes.errorbar(line["passes"], line[metric], [[low], [high]], **look)
        if line["variant"] in LABELS:
            place = (line["passes"], line[metric])
            left = line["passes"] > 200
            place_look: dict[str, Any] = {
                "color": colour,
                "ha": "right" if left else "left",
                "textcoords": "offset points",
            }
            axes.annotate(LABELS[line["variant"]], place, (-7 if left else 7, 7), **place_look)
    axes.set(xscale="log", xlabel="U-Net passes a picture", title=title)
    axes.set_xticks([20, 50, 100, 200, 500], ["20", "50", "100", "200", "500"])
    axes.minorticks_off()


def stops(axes: Axes, table: pd.DataFrame) -> None:
    """Figures against the stop time."""
    for metric, (label, colour) in CURVES.items():
        axes.errorbar(
            table["stop"],
            table[metric],
            spread(table, metric),
            fmt="o-",
            ms=4,
            lw=1.4,
            color=colour,
            label=label,
        )
    axes.set(
        xlabel="stop time, share of T (0 guides to the end)", title="when guidance stops", ylim=(0, 1.05)
    )
    axes.legend(frameon=False, fontsize=8, loc="lower left")


def style_axes(axes: Axes) -> None:
    axes.grid(color="#e6e6e6", lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8, length=2)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("variants", type=Path)
    parser.add_argument("stop", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    variants, stop = pd.read_csv(chosen.variants), pd.read_csv(chosen.stop)
    canvas = Figure(figsize=(11, 3.8), dpi=100, layout="constrained")
    panels = canvas.subplots(1, 3)
    front(panels[0], variants, "edge_f1_1px", "edge F1 at 1 px")
    front(panels[1], variants, "kid", "KID, lower is better")
    stops(panels[2], stop)
    for axes in panels:
        style_axes(axes)
    canvas.savefig(chosen.out, metadata={"Software": None})


if __name__ == "__main__":
    main()
