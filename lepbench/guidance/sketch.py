"""Read a user's sketch as strokes: any image file, either polarity, at the model's size."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from lepbench.errors import LepbenchError
from lepbench.images import format_size, open_rgb

BLACK_ON_WHITE = "black on white"
WHITE_ON_BLACK = "white on black"

LEAST_CONTRAST = 24
"""Minimum contrast of a sketch, in grey levels."""

CLEAR_MAJORITY = 0.6
"""Share of the pixels from which a colour is the background; below it the border decides."""


class Sketch(NamedTuple):
    """Strokes bool [H, W], true on a stroke, and the polarity of the drawing."""

    strokes: NDArray[np.bool_]
    polarity: str


def read_sketch(path: Path, size: tuple[int, int] | None = None, resize: bool = False) -> Sketch:
    """Read a drawing in any image format, black on white or white on black.

    Pixels are split by Otsu's threshold on grey, so pencil and antialiased ink work. The background is the
    larger part, or, if neither is clearly larger, the part with most of the border.

    Args:
        size: `(height, width)` the drawing must have; None takes any.
        resize: fit a drawing of another size: padded to the right aspect ratio, then scaled so that
            every stroke keeps at least a pixel (`fit`).

    Raises:
        LepbenchError: no image, no strokes, or another size and `resize` is off.
    """
    strokes, polarity = extract_strokes(np.asarray(open_rgb(path).convert("L")), str(path))
    if size is None or strokes.shape == size:
        return Sketch(strokes, polarity)
    if not resize:
        raise LepbenchError(
            f"{path} is {format_size(strokes.shape)} px and the model draws {format_size(size)} px",
            "redraw it at that size or pass --resize",
        )
    return Sketch(fit_strokes(strokes, size), polarity)


def extract_strokes(grey: NDArray[np.uint8], name: str = "the sketch") -> Sketch:
    """Strokes and polarity of a grey drawing uint8 [H, W].

    Raises:
        LepbenchError: it is flat; the message calls it `name`.
    """
    if int(grey.max()) - int(grey.min()) < LEAST_CONTRAST:
        raise LepbenchError(
            f"{name} holds no strokes: all its pixels are alike", "draw dark on light or light on dark"
        )
    return Sketch(*_split(grey))


def fit_strokes(strokes: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Bring strokes bool [H, W] to `size` without losing one.

    The drawing is padded to the aspect ratio of `size`, then scaled: a pixel of the result is a stroke
    if any part of it was one, so that thin lines survive any reduction.
    """
    padded = np.pad(strokes, _margins((strokes.shape[0], strokes.shape[1]), size))
    return _any_along(_any_along(padded, size[0], 0), size[1], 1)


def read_weights(path: Path, size: tuple[int, int]) -> NDArray[np.float32]:
    """Read how much each part of a sketch matters, float [height, width] in [0, 1], from a grey image.

    An image of another size is fitted like its sketch (`fit_strokes`), by averages, with border padding.

    Raises:
        LepbenchError: no image, or black everywhere.
    """
    grey = np.asarray(open_rgb(path).convert("L"), np.float32) / 255
    if not grey.any():
        raise LepbenchError(f"{path} is black: no part of a sketch matters", "paint what matters white")
    padded = np.pad(grey, _margins((grey.shape[0], grey.shape[1]), size), mode="edge")
    return np.asarray(cv2.resize(padded, size[::-1], interpolation=cv2.INTER_AREA), np.float32)


def _margins(given: tuple[int, int], wanted: tuple[int, int]) -> list[tuple[int, int]]:
    """Padding above, below, left and right that centres a map in the aspect ratio of `size`."""
    height, width = given
    tall = max(height, -(-width * wanted[0] // wanted[1]))
    wide = max(width, -(-height * wanted[1] // wanted[0]))
    top, left = (tall - height) // 2, (wide - width) // 2
    return [(top, tall - height - top), (left, wide - width - left)]


def _any_along(strokes: NDArray[np.bool_], count: int, axis: int) -> NDArray[np.bool_]:
    """Pool an axis to `count` cells, each true if any pixel it touches is."""
    length = strokes.shape[axis]
    starts = np.arange(count) * length // count
    ends = np.maximum(-(-(np.arange(count) + 1) * length // count), starts + 1)
    # With cumulative sums the count in any window is a difference of two.
    sums = np.insert(np.cumsum(strokes, axis=axis, dtype=np.int64), 0, 0, axis=axis)
    return np.asarray(sums.take(ends, axis=axis) > sums.take(starts, axis=axis))


def _split(grey: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], str]:
    """Strokes and polarity of a grey picture that is not flat."""
    threshold, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    light = np.asarray(grey > threshold)
    share = float(light.mean())
    if max(share, 1 - share) < CLEAR_MAJORITY:
        border = np.concatenate([light[0], light[-1], light[1:-1, 0], light[1:-1, -1]])
        share = float(border.mean())
    return (~light, BLACK_ON_WHITE) if share >= 0.5 else (light, WHITE_ON_BLACK)
