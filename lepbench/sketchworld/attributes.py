"""The attributes of a one-thing picture, and the values of each in the order of their class numbers."""

from __future__ import annotations

from lepbench.sketchworld.palette import BACKGROUNDS, COLOURS, TEXTURES
from lepbench.sketchworld.shapes import SHAPES

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "shape": tuple(SHAPES),
    "colour": tuple(COLOURS),
    "texture": TEXTURES,
    "background": tuple(BACKGROUNDS),
}
