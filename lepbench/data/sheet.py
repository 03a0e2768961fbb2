"""A contact sheet: some triplets of a folder on one page, for inspection before training."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from lepbench.data.read import Triplet
from lepbench.images import Pixels
from lepbench.panels import Corner, Page, arrange_panels

TILE = 192
GAP = 12
BETWEEN = 4
TEXT_HEIGHT = 44
LETTERS_A_LINE = 58
INK = (0, 0, 0)
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
    right, down = 2 * TILE + 2 * GAP, TILE + TEXT_HEIGHT + GAP
    page = Page(columns * right + GAP, -(-count // columns) * down + GAP)
    for place, triplet in zip(arrange_panels(count, columns, (GAP, GAP), (right, down)), chosen, strict=True):
        place_triplet(page, triplet, place)
    return page.pixels


def place_triplet(page: Page, triplet: Triplet, place: Corner) -> None:
    """Draw one triplet; small pictures keep their pixels' corners, large ones are averaged."""
    left, top = place
    pictures = (triplet.image, triplet.edges)
    for at, picture in zip(arrange_panels(2, 2, place, (TILE + BETWEEN, 0)), pictures, strict=True):
        page.place_panel(picture, at, (TILE, TILE), sharp=max(picture.shape[:2]) <= TILE)
    lines = textwrap.wrap(triplet.text, LETTERS_A_LINE, max_lines=2, placeholder=" ...")
    page.write_text("\n".join(lines), (left, top + TILE + 4), size=14, ink=INK)
