"""Colours and backgrounds, and the minimum contrast between an object and its background.

Contrast is measured in luma, since the edge detectors that draw the sketches work on grey: an object's
colour, its texture's second colour and its accent all differ from the background, and from each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]

COLOURS: dict[str, Colour] = {
    "red": (214, 40, 40),
    "orange": (245, 130, 32),
    "yellow": (240, 198, 40),
    "green": (46, 140, 60),
    "blue": (40, 90, 200),
    "purple": (122, 48, 160),
    "pink": (246, 140, 190),
    "brown": (122, 74, 40),
}
TEXTURES = ("plain", "striped", "dotted")
INK: Colour = (28, 26, 38)
IVORY: Colour = (252, 250, 244)
MINIMUM_CONTRAST = 0.2
TEXTURE_CONTRAST = 0.25


@dataclass(frozen=True)
class Background:
    """A vertical gradient from `top` to `bottom`, and how a caption speaks of it."""

    top: Colour
    bottom: Colour
    phrase: str

    @property
    def light(self) -> bool:
        return luma(self.top) > 0.5

    @property
    def accent(self) -> Colour:
        return INK if self.light else IVORY


BACKGROUNDS: dict[str, Background] = {
    "paper": Background((252, 250, 246), (244, 242, 238), "on white paper"),
    "sky": Background((176, 214, 246), (206, 232, 250), "in a pale blue sky"),
    "meadow": Background((216, 238, 190), (190, 226, 160), "in a light green meadow"),
    "sand": Background((250, 232, 196), (240, 214, 170), "on pale sand"),
    "night": Background((14, 16, 48), (30, 30, 66), "in the dark blue night"),
    "forest": Background((10, 38, 24), (18, 54, 34), "in a dark green forest"),
    "sea": Background((8, 52, 72), (4, 34, 54), "in the deep teal sea"),
    "blackboard": Background((42, 42, 42), (32, 32, 32), "on a blackboard"),
}


def luma(colour: Colour) -> float:
    """Rec. 601 luma in [0, 1]."""
    return (0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]) / 255


def texture_colour(colour: Colour) -> Colour:
    """The second colour of a texture: the same hue, lighter where the colour is dark, else darker."""
    rgb = np.array(colour, dtype=np.float64)
    if luma(colour) < 0.5:
        share = TEXTURE_CONTRAST / (1 - luma(colour))
        mixed: NDArray = rgb + share * (255 - rgb)
    else:
        mixed = rgb * (1 - TEXTURE_CONTRAST / luma(colour))
    red, green, blue = (int(value) for value in mixed.round())
    return red, green, blue


def stands_out(colour: str, background: str) -> bool:
    """Whether an object of this colour keeps the contrast rule on this background, textured or not."""
    main = COLOURS[colour]
    ground = BACKGROUNDS[background]
    paints = [luma(main), luma(texture_colour(main)), luma(ground.accent)]
    grounds = [luma(ground.top), luma(ground.bottom)]
    return all(abs(a - b) >= MINIMUM_CONTRAST for a in paints for b in grounds) and (
        abs(paints[0] - paints[2]) >= MINIMUM_CONTRAST
    )


FITTING: dict[str, tuple[str, ...]] = {
    colour: tuple(name for name in BACKGROUNDS if stands_out(colour, name)) for colour in COLOURS
}
