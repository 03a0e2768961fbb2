"""A drawing of the page: strokes with pressure and weight, in a unit square, and what a method gets of it."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lepbench.config import Config
from lepbench.strokes import find_surroundings, number_strokes

Share = Annotated[float, Field(ge=-1, le=2)]
"""A coordinate, 0 to 1 within the square; a pen may leave it."""
Corner = tuple[Share, Share, Annotated[float, Field(ge=0, le=1)]]
"""x, y and the pen's pressure."""


class PenStroke(Config):
    """A line that the pen drew without being lifted.

    Attributes:
        points: its corners.
        weight: how much it matters, 1 being usual and 0 nothing.
    """

    points: tuple[Corner, ...] = Field(min_length=1, max_length=5_000)
    weight: float = Field(default=1.0, ge=0, le=2)


class PageDrawing(Config):
    """Everything on the page that a picture follows."""

    prompt: str = Field(default="", max_length=500)
    strokes: tuple[PenStroke, ...] = Field(default=(), max_length=1_000)


class Lines(NamedTuple):
    """What a method gets of a drawing.

    Attributes:
        sketch: bool [H, W], true on a stroke.
        weights: float32 [H, W], how much the sketch matters at each pixel; None where that is the same.
    """

    sketch: NDArray[np.bool_]
    weights: NDArray[np.float32] | None


def rasterise_drawing(drawing: PageDrawing, size: tuple[int, int]) -> Lines:
    """A drawing as one-pixel lines of a picture of `size` (height, width) px, its square in the middle.

    A stroke of weight 0 is not drawn. The weight of another holds in its surroundings.
    """
    drawn = [stroke for stroke in drawing.strokes if stroke.weight > 0]
    side, (height, width) = min(size), size
    corners = [np.array([point[:2] for point in stroke.points]) * side for stroke in drawn]
    numbers = np.zeros(size, np.uint16)
    top, left = (height - side) // 2, (width - side) // 2
    numbers[top : top + side, left : left + side] = number_strokes(corners, side)
    if all(stroke.weight == 1 for stroke in drawn):
        return Lines(numbers > 0, None)
    return Lines(numbers > 0, spread_weights(numbers, [stroke.weight for stroke in drawn]))


def spread_weights(numbers: NDArray[np.uint16], weights: list[float]) -> NDArray[np.float32]:
    """Each pixel's weight, float32 [H, W]: that of the strokes in whose surroundings it is, else 1.

    Args:
        numbers: of strokes from 1, 0 where there is none.
        weights: of each stroke.
    """
    known = np.array([1.0, *weights], np.float32)[numbers]
    found = np.ones(numbers.shape, np.float32)
    for weight in np.unique(known[known != 1]):
        found[find_surroundings(known == weight, numbers > 0)] = weight
    return found
