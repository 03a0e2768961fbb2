"""Panels side by side, large enough to look at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lepbench.images import Pixels

PANEL = 320
"""Least side of a panel, px."""

MARGIN = 16
CAPTION = 28
PAPER = (255, 255, 255)
INK = (40, 40, 40)


def draw_ink(strokes: NDArray[np.bool_]) -> Pixels:
    """Strokes bool [H, W] as black lines on white, uint8 [H, W, 3]."""
    return np.repeat(np.where(strokes, 0, 255).astype(np.uint8)[..., None], 3, axis=-1)


def draw_strip(panels: Sequence[tuple[str, Pixels]]) -> Pixels:
    """Captioned panels in a row, uint8 [H', W', 3].

    Args:
        panels: caption and picture uint8 [H, W, 3], all of one size; enlarged by a whole factor, pixels kept
            sharp.
    """
    height, width = panels[0][1].shape[:2]
    factor = max(1, -(-PANEL // min(height, width)))
    tall, wide = height * factor, width * factor
    sheet = Image.new(
        "RGB", (MARGIN + len(panels) * (wide + MARGIN), MARGIN + tall + CAPTION + MARGIN), PAPER
    )
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(16)
    for place, (caption, pixels) in enumerate(panels):
        left = MARGIN + place * (wide + MARGIN)
        picture = Image.fromarray(pixels).resize((wide, tall), Image.Resampling.NEAREST)
        sheet.paste(picture, (left, MARGIN))
        draw.rectangle((left - 1, MARGIN - 1, left + wide, MARGIN + tall), outline=(200, 200, 200))
        draw.text((left, MARGIN + tall + 6), shorten_text(caption, font, wide), fill=INK, font=font)
    return np.asarray(sheet)


def shorten_text(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """As much of the text as fits into `width` px, an ellipsis standing for the rest."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}...") > width:
        text = text[:-1]
    return f"{text.rstrip()}..."
