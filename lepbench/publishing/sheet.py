"""A sheet of pictures: each sketch beside the true picture and what was drawn of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lepbench.evaluation.conditions import MODEL, REAL, UNGUIDED
from lepbench.evaluation.folder import locate_picture
from lepbench.files import atomic_path
from lepbench.images import Pixels, open_rgb
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
SHOWN = {REAL.name: "real", UNGUIDED.name: "unguided", MODEL.name: "guided"}
"""Conditions whose pictures are shown, from left to right, and what their columns are called."""


@dataclass(frozen=True)
class Strip:
    """One item on the sheet: its prompt, and a picture uint8 [H, W, 3] a column, None where there is none."""

    prompt: str
    pictures: Sequence[Pixels | None]


def write_sheet(folder: Path, title: str, subtitle: str, items: Sequence[Item], count: int = 16) -> None:
    """Write `sheet.png` of a finished run's first items, from the pictures in its folder."""
    rows = [row for row in SHOWN if locate_picture(folder, row, items[0].item_id).parent.is_dir()]
    columns = ["sketch", *(SHOWN[row] for row in rows)]
    sheet = draw_sheet(title, subtitle, columns, [_strip(folder, rows, item) for item in items[:count]])
    with atomic_path(folder / SHEET) as partial:
        sheet.save(partial, format="PNG", optimize=True)


def draw_sheet(title: str, subtitle: str, columns: Sequence[str], strips: Sequence[Strip]) -> Image.Image:
    """Lay strips out two abreast on paper, under a title, each column headed."""
    wide = len(columns) * (TILE + GAP) - GAP
    tall = TILE + CAPTION
    lines = -(-len(strips) // ACROSS)
    across = min(ACROSS, len(strips))
    size = (
        2 * MARGIN + across * wide + (across - 1) * BETWEEN,
        MARGIN + HEADER + HEADINGS + lines * tall + MARGIN // 2,
    )
    sheet = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((MARGIN, MARGIN - 6), title, INK, _font(34))
    pen.text((MARGIN, MARGIN + 40), subtitle, FAINT, _font(17))
    pen.line((MARGIN, MARGIN + HEADER - 18, size[0] - MARGIN, MARGIN + HEADER - 18), LINE, 2)
    for block in range(across):
        for number, name in enumerate(columns):
            centre = MARGIN + block * (wide + BETWEEN) + number * (TILE + GAP) + TILE // 2
            pen.text((centre, MARGIN + HEADER), name, FAINT, _font(18), anchor="ma")
    for number, strip in enumerate(strips):
        left = MARGIN + (number % ACROSS) * (wide + BETWEEN)
        top = MARGIN + HEADER + HEADINGS + (number // ACROSS) * tall
        _paste(sheet, pen, strip, left, top, wide)
    return sheet


def draw_sketch(sketch: NDArray[np.bool_]) -> Pixels:
    """Strokes bool [H, W] as black on white, uint8 [H, W, 3]."""
    return np.repeat(np.where(sketch, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def _strip(folder: Path, rows: Sequence[str], item: Item) -> Strip:
    paths = [locate_picture(folder, row, item.item_id) for row in rows]
    drawn = [np.asarray(open_rgb(path)) if path.is_file() else None for path in paths]
    return Strip(item.prompt, [draw_sketch(item.sketch), *drawn])


def _paste(
    sheet: Image.Image, pen: ImageDraw.ImageDraw, strip: Strip, left: int, top: int, wide: int
) -> None:
    for number, picture in enumerate(strip.pictures):
        x = left + number * (TILE + GAP)
        if picture is None:
            pen.text((x + TILE // 2, top + TILE // 2), "failed", FAINT, _font(18), anchor="mm")
        else:
            tile = Image.fromarray(picture).resize((TILE, TILE), Image.Resampling.LANCZOS)
            sheet.paste(tile, (x, top))
        pen.rectangle((x - 1, top - 1, x + TILE, top + TILE), outline=LINE)
    pen.text((left, top + TILE + 8), _fitted(pen, strip.prompt, wide), INK, _font(17))


def _fitted(pen: ImageDraw.ImageDraw, text: str, wide: int) -> str:
    """A text cut, with an ellipsis, to a width in px."""
    if pen.textlength(text, _font(17)) <= wide:
        return text
    while text and pen.textlength(f"{text}...", _font(17)) > wide:
        text = text[:-1]
    return f"{text.rstrip()}..."


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
