"""A contact sheet: each sketch beside the real and the generated images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from lepbench.evaluation.conditions import MODEL, REAL, UNGUIDED
from lepbench.evaluation.layout import locate_picture
from lepbench.evaluation.record import Record
from lepbench.files import atomic_path
from lepbench.images import Pixels, open_rgb
from lepbench.panels import Corner, Page, arrange_panels, draw_strokes
from lepbench.suites import Item

SHEET = "sheet.png"
TILE = 192
GAP = 10
MARGIN = 40
BETWEEN = 36
ACROSS = 2
CAPTION = 44
HEADER = 92
HEADINGS = 34
PAPER, INK, FAINT, LINE = (250, 249, 246), (38, 38, 42), (112, 112, 118), (222, 220, 214)
SHOWN = (REAL.name, UNGUIDED.name, MODEL.name)
"""Conditions whose images are shown, from left to right; the model's is headed by its method."""


@dataclass(frozen=True)
class Strip:
    """One item on the sheet: its title, and a picture uint8 [H, W, 3] a column, None where there is none."""

    title: str
    pictures: Sequence[Pixels | None]


def write_sheet(folder: Path, record: Record, subtitle: str, items: Sequence[Item], count: int = 16) -> None:
    """Write `sheet.png` of a finished run's first items, from the pictures in its folder."""
    model = record.identity.model
    # Without a method that steers, the model's pictures are the unguided ones.
    same = UNGUIDED.name if model.method.name == UNGUIDED.name else None
    drawn = (row for row in SHOWN if locate_picture(folder, row, items[0].item_id).parent.is_dir())
    rows = [row for row in drawn if row != same]
    columns = ["sketch", *(model.method.name if row == MODEL.name else row for row in rows)]
    places = [(folder, row) for row in rows]
    strips = [read_strip(item, places, item.prompt) for item in items[:count]]
    sheet = draw_sheet(model.name, subtitle, columns, strips)
    with atomic_path(folder / SHEET) as partial:
        sheet.save(partial, format="PNG", optimize=True)


def read_strip(item: Item, places: Sequence[tuple[Path, str]], title: str) -> Strip:
    """An item's sketch and its pictures.

    Args:
        places: the folder of a run, and a condition of it, for each picture.
        title: what is written below them.
    """
    paths = [locate_picture(folder, condition, item.item_id) for folder, condition in places]
    drawn = [np.asarray(open_rgb(path)) if path.is_file() else None for path in paths]
    return Strip(title, [draw_strokes(item.input), *drawn])


def draw_sheet(
    title: str,
    subtitle: str,
    columns: Sequence[str],
    strips: Sequence[Strip],
    *,
    tile: int = TILE,
    abreast: int = ACROSS,
) -> Image.Image:
    """Lay strips out on paper, under a title, each column headed.

    Args:
        tile: side of a picture, px.
        abreast: strips in a line.
    """
    wide = len(columns) * (tile + GAP) - GAP
    tall = tile + CAPTION
    across = min(abreast, len(strips))
    lines = -(-len(strips) // abreast)
    width = 2 * MARGIN + across * wide + (across - 1) * BETWEEN
    page = Page(width, MARGIN + HEADER + HEADINGS + lines * tall + MARGIN // 2, PAPER)
    page.write_text(title, (MARGIN, MARGIN - 6), size=34, ink=INK)
    page.write_text(subtitle, (MARGIN, MARGIN + 40), size=17, ink=FAINT)
    page.pen.line((MARGIN, MARGIN + HEADER - 18, width - MARGIN, MARGIN + HEADER - 18), LINE, 2)
    for place in arrange_panels(across, across, (MARGIN, MARGIN + HEADER), (wide + BETWEEN, 0)):
        _write_headings(page, columns, place, tile)
    first = (MARGIN, MARGIN + HEADER + HEADINGS)
    places = arrange_panels(len(strips), across, first, (wide + BETWEEN, tall))
    for place, strip in zip(places, strips, strict=True):
        _place_strip(page, strip, place, tile)
    return page.image


def _write_headings(page: Page, columns: Sequence[str], place: Corner, tile: int) -> None:
    for (left, top), name in zip(_arrange_columns(len(columns), place, tile), columns, strict=True):
        page.write_text(
            name, (left + tile // 2, top), size=_size_text(18, tile), ink=FAINT, anchor="ma", width=tile
        )


def _place_strip(page: Page, strip: Strip, place: Corner, tile: int) -> None:
    places = _arrange_columns(len(strip.pictures), place, tile)
    for (left, top), picture in zip(places, strip.pictures, strict=True):
        if picture is None:
            centre = (left + tile // 2, top + tile // 2)
            page.write_text("failed", centre, size=_size_text(18, tile), ink=FAINT, anchor="mm")
            page.frame_panel((left, top), (tile, tile), LINE)
        else:
            page.place_panel(picture, (left, top), (tile, tile), frame=LINE)
    left, top = place
    wide = len(places) * (tile + GAP) - GAP
    page.write_text(strip.title, (left, top + tile + 8), size=17, ink=INK, width=wide)


def _size_text(size: int, tile: int) -> int:
    """The size of a heading, smaller over small pictures."""
    return max(12, size * tile // TILE)


def _arrange_columns(count: int, place: Corner, tile: int) -> list[Corner]:
    return arrange_panels(count, count, place, (tile + GAP, 0))
