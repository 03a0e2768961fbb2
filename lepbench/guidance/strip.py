"""Enlarged panels: a strip of one row, and a sheet of several."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lepbench.images import Pixels
from lepbench.panels import Page, arrange_panels, draw_strokes

PANEL = 320
"""Least side of a panel, px."""

MARGIN = 16
CAPTION = 28
INK, LINE = (40, 40, 40), (200, 200, 200)


def draw_strip(panels: Sequence[tuple[str, Pixels]], across: int | None = None) -> Pixels:
    """Captioned panels in rows, uint8 [H', W', 3].

    Args:
        panels: caption and picture uint8 [H, W, 3], all of one size; enlarged by a whole factor, pixels kept
            sharp.
        across: panels a row; None: all in one.
    """
    height, width = panels[0][1].shape[:2]
    factor = max(1, -(-PANEL // min(height, width)))
    tall, wide = height * factor, width * factor
    columns = min(len(panels), across or len(panels))
    rows = -(-len(panels) // columns)
    pitch = (wide + MARGIN, tall + CAPTION + MARGIN)
    page = Page(MARGIN + columns * pitch[0], MARGIN + rows * pitch[1])
    places = arrange_panels(len(panels), columns, (MARGIN, MARGIN), pitch)
    for (left, top), (caption, pixels) in zip(places, panels, strict=True):
        page.place_panel(pixels, (left, top), (wide, tall), sharp=True, frame=LINE)
        page.write_text(caption, (left, top + tall + 6), size=16, ink=INK, width=wide)
    return page.pixels


def draw_candidates(prompt: str, strokes: NDArray[np.bool_], pictures: Mapping[int, Pixels]) -> Pixels:
    """A sheet of a sketch bool [H, W], captioned by its prompt, and of pictures by their seeds."""
    panels = [(prompt, draw_strokes(strokes))]
    panels += [(f"seed {seed}", picture) for seed, picture in pictures.items()]
    return draw_strip(panels, across=math.ceil(len(panels) / math.isqrt(len(panels))))
