"""What may happen to a sketch: another pen, polarity or file, gaps, another place or size."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lepbench.errors import LepbenchError
from lepbench.images import encode_png, open_as
from lepbench.panels import draw_strokes
from lepbench.sketches import Fault, Unusable

WRITTEN = re.compile(r"(?P<kind>[a-z-]*[a-z])(-(?P<amount>\d+(\.\d+)?))?")
HOLE = 1 / 32
"""Radius of a gap, in sides of the picture."""
Map = NDArray[np.bool_]


class Disturbance(NamedTuple):
    """A kind, and how much of it."""

    kind: str
    amount: float


def parse_disturbance(text: str) -> Disturbance:
    """A disturbance as it is written, such as `jpeg-10` or `inverted`.

    Raises:
        ValueError: there is none of that kind, or not so much of it.
    """
    match = WRITTEN.fullmatch(text)
    kind = match["kind"] if match else text
    if match is None or kind not in RANGES:
        raise ValueError(f"{text!r} is no change of a sketch; there are {', '.join(RANGES)}")
    limits, amount = RANGES[kind], match["amount"]
    if limits is None and amount is None:
        return Disturbance(kind, 0.0)
    if limits is None or amount is None or not limits[0] <= float(amount) <= limits[1]:
        if limits is None:
            raise ValueError(f"{text!r} has a number; write {kind!r} alone")
        raise ValueError(
            f"{text!r} is no change of a sketch; write '{kind}-NUMBER' with a number from {limits[0]:g} to "
            f"{limits[1]:g}"
        )
    return Disturbance(kind, float(amount))


def disturb_sketch(sketch: Map, change: Disturbance, seed: int) -> Map:
    """A sketch [H, W] as a method gets it after a change that moves nothing.

    Args:
        seed: of what is left to chance.

    Raises:
        Unusable: nothing of it can be read any more.
    """
    return DISTURB[change.kind](sketch, change.amount, seed)


def choose_direction(sketch: Map) -> int:
    """Where there is more room for a shift: 1 to the right, -1 to the left."""
    columns = np.flatnonzero(sketch.any(axis=0))
    return 1 if not len(columns) or columns[0] + columns[-1] < sketch.shape[1] - 1 else -1


def move_map(pixels: NDArray[Any], change: Disturbance, direction: int) -> NDArray[Any]:
    """Pixels [H, W] or [H, W, 3] shifted to the side, or made smaller about the middle of the picture.

    Maps are moved pixel by pixel, so that thin lines stay whole. What comes in at the border is 0 in maps and
    the colour of the border in pictures.
    """
    factor = change.amount if change.kind == "scale" else 1.0
    offset = direction * change.amount if change.kind == "shift" else 0.0
    height, width = pixels.shape[:2]
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    across, down = (1 - factor) * middle + (offset, 0)
    if pixels.ndim == 3:
        matrix = np.array([[factor, 0, across], [0, factor, down]])
        return np.asarray(cv2.warpAffine(pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE))
    moved = np.zeros_like(pixels)
    rows, columns = pixels.nonzero()
    to_rows, to_columns = (
        np.round(factor * places + shift).astype(int) for places, shift in ((rows, down), (columns, across))
    )
    inside = (to_rows >= 0) & (to_rows < height) & (to_columns >= 0) & (to_columns < width)
    moved[to_rows[inside], to_columns[inside]] = pixels[rows[inside], columns[inside]]
    return moved


def _widen(sketch: Map, width: float, seed: int) -> Map:
    size = round(width)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return np.asarray(cv2.dilate(sketch.astype(np.uint8), kernel) > 0)


def _break(sketch: Map, share: float, seed: int) -> Map:
    """Take round pieces out of the lines until a share of their pixels is gone."""
    places = np.argwhere(sketch)
    kept = np.ones(len(places), np.bool_)
    for number in np.random.default_rng(seed).permutation(len(places)):
        if kept.sum() <= (1 - share) * len(places):
            break
        kept &= np.linalg.norm(places - places[number], axis=1) > HOLE * len(sketch)
    broken = np.zeros_like(sketch)
    broken[tuple(places[kept].T)] = True
    return broken


def _read_jpeg(sketch: Map, quality: float, seed: int) -> Map:
    buffer = io.BytesIO()
    Image.fromarray(draw_strokes(sketch)).save(buffer, "JPEG", quality=round(quality))
    return _read_file(buffer.getvalue())


def _read_inverted(sketch: Map, amount: float, seed: int) -> Map:
    return _read_file(encode_png(255 - draw_strokes(sketch)))


def _read_file(content: bytes) -> Map:
    """A sketch's file as `lepbench sample` reads it."""
    # With torch's models, which most sources do not need.
    from lepbench.guidance.sketch import extract_strokes
    from lepbench.guidance.transparency import lay_drawing

    try:
        return extract_strokes(*open_as(lay_drawing, content)).strokes
    except LepbenchError as error:
        raise Unusable(Fault.UNREADABLE, str(error)) from error


DISTURB: dict[str, Callable[[Map, float, int], Map]] = {
    "none": lambda sketch, amount, seed: sketch,
    "width": _widen,
    "inverted": lambda sketch, amount, seed: ~sketch,
    "white-on-black": _read_inverted,
    "jpeg": _read_jpeg,
    "gaps": _break,
}
"""Changes of what a method gets: `inverted` is a map of the wrong polarity, `white-on-black` and `jpeg` are
files that are read as sketches are."""
MOVES = ("shift", "scale")
"""Changes that move the whole item."""
RANGES: dict[str, tuple[float, float] | None] = {
    "none": None,
    "width": (1, 64),
    "inverted": None,
    "white-on-black": None,
    "jpeg": (1, 100),
    "gaps": (0, 0.9),
    "shift": (0, 256),
    "scale": (0.25, 1),
}
"""The least and the most of each; None of one without an amount."""
