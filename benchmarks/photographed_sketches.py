"""How well the lines of photographed and scanned drawings are read under shadows.

    python benchmarks/photographed_sketches.py
    python benchmarks/photographed_sketches.py --json --pages 4

Outlines of sketchworld's scenes are drawn with a pen of 4 px on pages of 768 px, lit unevenly, blurred by a
lens, given texture and noise, and stored as JPEG. What `extract_strokes` reads is compared with the drawn
lines: precision and recall at 2 px, for one threshold over the page (Otsu's, on grey) and as it is read. On
stdout a table in Markdown with means over shadows and in brackets the worst shadow's, or with --json a
list of rows, one a shadow.
"""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Callable
from itertools import groupby, product
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lepbench.bars import show_bars
from lepbench.guidance.sketch import extract_strokes
from lepbench.images import Pixels
from lepbench.progress import Progress
from lepbench.sketchworld import freehand, scene

SIDE, PEN, TOLERANCE = 768, 4, 2
LEVEL = 1
FALLOFFS = (0, 15, 30, 50, 70)

Map = NDArray[np.floating]


class Medium(NamedTuple):
    """Colours of an ink and of what it is drawn on."""

    ink: tuple[int, int, int]
    ground: tuple[int, int, int]


class Row(NamedTuple):
    """Precision and recall of lines under one shadow, by one threshold and as they are read."""

    medium: str
    falloff: int
    shadow: str
    otsu: list[float]
    read: list[float]


MEDIA = {
    "black ink": Medium((28, 27, 30), (236, 234, 228)),
    "blue ink": Medium((52, 70, 168), (236, 234, 228)),
    "pencil": Medium((158, 157, 156), (236, 234, 228)),
    "yellow marker": Medium((240, 214, 60), (236, 234, 228)),
    "chalk on a board": Medium((206, 208, 204), (52, 60, 56)),
}


def grade_linear(x: Map, y: Map) -> Map:
    return (x + y) / 2


def grade_vignette(x: Map, y: Map) -> Map:
    return np.clip(((x - 0.5) ** 2 + (y - 0.5) ** 2) * 2, 0, 1)


def grade_corner(x: Map, y: Map) -> Map:
    return np.clip(1 - np.hypot(x, y) / 0.7, 0, 1)


def grade_hand(x: Map, y: Map) -> Map:
    """The sharp shadow of a hand with two fingers."""
    hand = np.hypot(x - 0.8, (y - 0.9) * 0.8) < 0.33
    fingers = (np.abs(x - 0.62 - 0.2 * y) < 0.05) | (np.abs(x - 0.8 + 0.05 * y) < 0.055)
    return (hand | (fingers & (y > 0.3))).astype(np.float32)


SHADOWS: dict[str, Callable[[Map, Map], Map]] = {
    "linear": grade_linear,
    "vignette": grade_vignette,
    "corner": grade_corner,
    "hand": grade_hand,
}


def draw_lines(index: int) -> Map:
    """How much of each pixel the pen of a page covers, [SIDE, SIDE] in [0, 1]."""
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    for stroke in freehand(scene("test", index), LEVEL, SIDE).strokes:
        corners = np.round((stroke.points - 0.5) * 16).astype(np.int32)
        cv2.polylines(canvas, [corners], False, 255, thickness=PEN, lineType=cv2.LINE_AA, shift=4)
    return canvas.astype(np.float32) / 255


def photograph(lines: Map, medium: Medium, light: Map, seed: int) -> Pixels:
    """A page as a camera has it, uint8 [SIDE, SIDE, 3].

    Args:
        lines: what the pen covers.
        light: grey levels that the shadow takes from white, or that glare adds to a board.
        seed: of the paper's texture and the sensor's noise.
    """
    page = np.array(medium.ground) + lines[..., None] * (np.array(medium.ink) - np.array(medium.ground))
    light = light[..., None]
    dark = np.mean(medium.ground) < 128
    page = page + light * (1 - page / 255) if dark else page * (1 - light / np.max(medium.ground))
    rng = np.random.default_rng(seed)
    texture = cv2.GaussianBlur(rng.normal(0, 8, lines.shape), (0, 0), 2)[..., None]
    page = cv2.GaussianBlur(page, (0, 0), 0.8) + texture + rng.normal(0, 4, page.shape)
    stored = io.BytesIO()
    Image.fromarray(page.clip(0, 255).round().astype(np.uint8)).save(stored, "JPEG", quality=80)
    return np.asarray(Image.open(stored))


def threshold_globally(page: Pixels) -> NDArray[np.bool_]:
    """The smaller side of Otsu's threshold on grey."""
    grey = np.asarray(Image.fromarray(page).convert("L"))
    level, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    light = grey > level
    return np.asarray(~light if light.mean() >= 0.5 else light)


def score_lines(found: NDArray[np.bool_], true: NDArray[np.bool_]) -> tuple[float, float]:
    """Precision and recall of line pixels within `TOLERANCE`."""
    hits = found & _near(true), true & _near(found)
    return float(hits[0].sum() / max(found.sum(), 1)), float(hits[1].sum() / true.sum())


def _near(strokes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    away = cv2.distanceTransform((~strokes).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(away <= TOLERANCE)


def read_page(page: Pixels) -> NDArray[np.bool_]:
    return extract_strokes(page).strokes


def measure(pages: int, progress: Progress) -> list[Row]:
    """A row for every medium, depth and shadow: precision and recall of both readings, means over pages."""
    places = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE
    x, y = np.meshgrid(places, places)
    drawn = [draw_lines(index) for index in range(pages)]
    cases = [case for case in product(MEDIA, FALLOFFS, SHADOWS) if case[1] or case[2] == "linear"]
    rows = []
    for done, (name, falloff, shadow) in enumerate(cases, start=1):
        light = falloff * SHADOWS[shadow](x, y)
        taken = [photograph(lines, MEDIA[name], light, seed) for seed, lines in enumerate(drawn)]
        figures = [
            np.mean(
                [score_lines(read(page), lines >= 0.5) for page, lines in zip(taken, drawn, strict=True)], 0
            )
            for read in (threshold_globally, read_page)
        ]
        rows.append(Row(name, falloff, shadow, otsu=figures[0].tolist(), read=figures[1].tolist()))
        progress("cases", done, len(cases))
    return rows


def format_table(rows: list[Row]) -> str:
    """Means over shadows, and the worst, as a table in Markdown."""
    names = [f"{way} {figure}" for way in ("Otsu", "as read") for figure in ("precision", "recall")]
    lines = ["| " + " | ".join(["medium", "falloff", *names]) + " |", "|" + "---|" * 6]
    for (name, falloff), group in groupby(rows, key=lambda row: (row.medium, row.falloff)):
        scores = np.array([[*row.otsu, *row.read] for row in group])
        cells = [
            f"{mean:.2f} ({least:.2f})" for mean, least in zip(scores.mean(0), scores.min(0), strict=True)
        ]
        lines.append(f"| {name} | {falloff} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with show_bars() as progress:
        rows = measure(chosen.pages, progress)
    print(json.dumps([row._asdict() for row in rows]) if chosen.json else format_table(rows))


if __name__ == "__main__":
    main()
