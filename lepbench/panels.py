"""Pages of panels: pictures enlarged, laid out in rows, framed and captioned."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from lepbench.images import Pixels

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Colour = tuple[int, int, int]
Corner = tuple[int, int]
"""An upper left corner, (x, y) in px."""
WHITE: Colour = (255, 255, 255)


class Page:
    """A page to paste panels onto.

    Args:
        width, height: in px.
        paper: its colour.
    """

    def __init__(self, width: int, height: int, paper: Colour = WHITE) -> None:
        self.image = Image.new("RGB", (width, height), paper)
        self.pen = ImageDraw.Draw(self.image)

    @property
    def pixels(self) -> Pixels:
        """What is on it, uint8 [H, W, 3]."""
        return np.array(self.image)

    def place_panel(
        self,
        picture: Pixels | NDArray[np.bool_],
        place: Corner,
        size: tuple[int, int],
        *,
        sharp: bool = False,
        frame: Colour | None = None,
    ) -> None:
        """Paste a picture, enlarged or reduced to a panel's size, white beside it where its shape is another.

        Args:
            picture: uint8 [H, W, 3], grey uint8 [H, W], or bool [H, W], true being white.
            size: width and height of the panel, px.
            sharp: keep the corners of its pixels.
            frame: colour of a line around the panel; None: no line.
        """
        image = Image.fromarray(picture if picture.dtype == np.uint8 else picture.astype(np.uint8) * 255)
        method = Image.Resampling.NEAREST if sharp else Image.Resampling.LANCZOS
        self.image.paste(ImageOps.pad(image.convert("RGB"), size, method=method, color=WHITE), place)
        if frame is not None:
            self.frame_panel(place, size, frame)

    def frame_panel(self, place: Corner, size: tuple[int, int], colour: Colour) -> None:
        """Draw a line of 1 px around a panel."""
        (left, top), (width, height) = place, size
        self.pen.rectangle((left - 1, top - 1, left + width, top + height), outline=colour)

    def write_text(
        self,
        text: str,
        place: Corner,
        *,
        size: int,
        ink: Colour,
        anchor: str | None = None,
        width: int | None = None,
    ) -> None:
        """Write a text.

        Args:
            size: of the font, px.
            anchor: which of its points lies at `place`, as Pillow names it; None: the upper left corner.
            width: px that it is cut to; None: as wide as it is.
        """
        font = load_font(size)
        shown = text if width is None else shorten_text(text, font, width)
        self.pen.text(place, shown, ink, font, anchor=anchor)


def arrange_panels(count: int, across: int, first: Corner, pitch: tuple[int, int]) -> list[Corner]:
    """Where panels lie that fill rows of `across`, from left to right and from top to bottom.

    Args:
        first: the place of the first.
        pitch: px from one to the next, across and down.
    """
    (left, top), (right, down) = first, pitch
    return [(left + number % across * right, top + number // across * down) for number in range(count)]


def draw_strokes(strokes: NDArray[np.bool_]) -> Pixels:
    """Strokes bool [H, W] as black on white, uint8 [H, W, 3]."""
    return np.repeat(np.where(strokes, 0, 255).astype(np.uint8)[..., None], 3, axis=-1)


def load_font(size: int) -> Font:
    """The font of all pages; `size` in px."""
    return ImageFont.load_default(size)


def shorten_text(text: str, font: Font, width: int) -> str:
    """As much of the text as fits into `width` px, an ellipsis standing for the rest."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}...") > width:
        text = text[:-1]
    return f"{text.rstrip()}..."
