"""A strip of enlarged panels."""

from __future__ import annotations

from collections.abc import Sequence

from lepbench.images import Pixels
from lepbench.panels import Page, arrange_panels

PANEL = 320
"""Least side of a panel, px."""

MARGIN = 16
CAPTION = 28
INK, LINE = (40, 40, 40), (200, 200, 200)


def draw_strip(panels: Sequence[tuple[str, Pixels]]) -> Pixels:
    """Captioned panels in a row, uint8 [H', W', 3].

    Args:
        panels: caption and picture uint8 [H, W, 3], all of one size; enlarged by a whole factor, pixels kept
            sharp.
    """
    height, width = panels[0][1].shape[:2]
    factor = max(1, -(-PANEL // min(height, width)))
    tall, wide = height * factor, width * factor
    page = Page(MARGIN + len(panels) * (wide + MARGIN), MARGIN + tall + CAPTION + MARGIN)
    places = arrange_panels(len(panels), len(panels), (MARGIN, MARGIN), (wide + MARGIN, 0))
    for (left, top), (caption, pixels) in zip(places, panels, strict=True):
        page.place_panel(pixels, (left, top), (wide, tall), sharp=True, frame=LINE)
        page.write_text(caption, (left, top + tall + 6), size=16, ink=INK, width=wide)
    return page.pixels
