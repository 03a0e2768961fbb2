"""A contact sheet: some triplets of a folder on one page, to look at before training on thousands."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from lepbench.data.read import Triplet
from lepbench.images import Pixels

TILE = 192
GAP = 12
TEXT_HEIGHT = 44
LETTERS_A_LINE = 58
COLUMNS = 3
MOST = 12


def draw_contact_sheet(triplets: Sequence[Triplet], most: int = MOST) -> Pixels:
    """Up to `most` triplets evenly spaced over a set: picture, edges and the caption below.

    Returns:
        uint8 [H, W, 3], dark on white.
    """
    count = min(most, len(triplets))
    chosen = [triplets[i * len(triplets) // count] for i in range(count)]
    columns = min(COLUMNS, count)
    width, height = 2 * TILE + GAP, TILE + TEXT_HEIGHT
    across, down = columns * (width + GAP) + GAP, -(-count // columns) * (height + GAP) + GAP
    page = Image.new("RGB", (across, down), "white")
    for place, triplet in enumerate(chosen):
        row, column = divmod(place, columns)
        paste(page, triplet, GAP + column * (width + GAP), GAP + row * (height + GAP))
    return np.array(page)


def paste(page: Image.Image, triplet: Triplet, x: int, y: int) -> None:
    """Draw one triplet with its upper left corner at (x, y) px."""
    page.paste(tile(triplet.image), (x, y))
    page.paste(tile(triplet.edges).convert("RGB"), (x + TILE + 4, y))
    lines = textwrap.wrap(triplet.text, LETTERS_A_LINE, max_lines=2, placeholder=" ...")
    font = ImageFont.load_default(size=14)
    ImageDraw.Draw(page).multiline_text((x, y + TILE + 4), "\n".join(lines), fill="black", font=font)


def tile(pixels: Pixels | NDArray[np.bool_] | NDArray[np.uint8]) -> Image.Image:
    """The picture at the tile's size: small ones keep their pixels' corners, large ones are averaged."""
    image = Image.fromarray(pixels if pixels.dtype == np.uint8 else pixels.astype(np.uint8) * 255)
    enlarged = max(image.size) <= TILE
    how = Image.Resampling.NEAREST if enlarged else Image.Resampling.LANCZOS
    return ImageOps.pad(image.convert("RGB"), (TILE, TILE), method=how, color="white")
