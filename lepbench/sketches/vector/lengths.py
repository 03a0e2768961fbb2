"""Lengths and viewports of SVG: numbers with units to user units, view boxes to transforms."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

import numpy as np
import svgelements
from numpy.typing import NDArray

from lepbench.sketches.vector.cascade import Style

Affine = NDArray[np.float64]
"""A transform, [3, 3], of column vectors (x, y, 1)."""
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
LENGTH = re.compile(rf"({NUMBER})\s*(%|[a-zA-Z]*)")
UNITS = {
    "": 1, "px": 1, "in": 96, "cm": 96 / 2.54, "mm": 96 / 25.4, "q": 96 / 101.6, "pt": 96 / 72, "pc": 16,
}  # fmt: skip
"""Pixels a unit; source: CSS Values 4, section 6.2."""
FONT = {"em": 1, "rem": 1, "ex": 0.5, "ch": 0.5}
"""Font sizes a unit; resvg, too, takes half of the size for ex."""
FONT_SIZE = 16.0
SIDES = {"left": "0", "top": "0", "center": "50%", "right": "100%", "bottom": "100%"}
"""Words for points of a viewport."""


class Viewport(NamedTuple):
    """The size that percentages refer to, in user units."""

    width: float
    height: float

    @property
    def diagonal(self) -> float:
        """What percentages refer to that are of neither direction; source: SVG 2, section 8.9."""
        return math.hypot(self.width, self.height) / math.sqrt(2)


def parse_length(text: str | None, whole: float, default: float = 0.0) -> float:
    """A length in user units, percentages of `whole`; the default where it is missing or none."""
    found = LENGTH.fullmatch((text or "").strip())
    if found is None:
        return default
    number, unit = float(found[1]), found[2].lower()
    factor = whole / 100 if unit == "%" else UNITS.get(unit, FONT.get(unit, math.nan) * FONT_SIZE)
    return default if math.isnan(factor) else number * factor


def parse_share(text: str | None) -> float:
    """An opacity, as a number or in percent; 1 where it is missing or none."""
    return min(max(parse_length(text, 1.0, 1.0), 0.0), 1.0)


def parse_numbers(text: str | None) -> list[float]:
    """Every number in a text."""
    return [float(number) for number in re.findall(NUMBER, text or "")]


def parse_transform(style: Style, viewport: Viewport) -> Affine:
    """The transform that an element has; the identity where it is not understood, as browsers do."""
    text = style.get("transform", "")
    if not text or text == "none":
        return np.eye(3)
    try:
        affine = as_affine(svgelements.Matrix(text))
    except (ValueError, TypeError, IndexError, AttributeError):
        return np.eye(3)
    x, y = parse_origin(style.get("transform-origin", ""), viewport)
    # What is not finite is refused by whoever draws with it.
    with np.errstate(over="ignore", invalid="ignore"):
        return shift(x, y) @ affine @ shift(-x, -y)


def parse_origin(text: str, viewport: Viewport) -> tuple[float, float]:
    """The point about which a transform turns; the corner where none is given.

    Source: CSS Transforms 1, section 6: words may come in either order, and one value is centred in the other
    direction.
    """
    words = text.lower().split()[:2]
    if not words:
        return 0.0, 0.0
    x, y = [*words, "center"][:2]
    if x in ("top", "bottom") or y in ("left", "right"):
        x, y = y, x
    return (
        parse_length(SIDES.get(x, x), viewport.width),
        parse_length(SIDES.get(y, y), viewport.height),
    )


def as_affine(matrix: svgelements.Matrix) -> Affine:
    """A matrix of svgelements as an array.

    Raises:
        ValueError: an entry is no number, such as a percentage.
    """
    a, b, c, d, e, f = (float(getattr(matrix, name)) for name in "abcdef")
    return np.array([[a, c, e], [b, d, f], [0, 0, 1]])


def shift(x: float, y: float) -> Affine:
    """The transform that moves by (x, y)."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def fit_view_box(style: Style, width: float, height: float) -> tuple[Affine, Viewport]:
    """The transform of a view box into a viewport of this size, and the size of its inside.

    Without a view box: the identity.
    """
    box = parse_numbers(style.get("viewBox"))
    if len(box) != 4 or min(box[2:]) <= 0:
        return np.eye(3), Viewport(width, height)
    aspect = " ".join(style.get("preserveAspectRatio", "").split()) or None
    names = ("e_x", "e_y", "e_width", "e_height", "vb_x", "vb_y", "vb_width", "vb_height")
    given = dict(zip(names, (0, 0, width, height, *box), strict=True))
    text = svgelements.Viewbox.viewbox_transform(**given, aspect=aspect)
    return as_affine(svgelements.Matrix(text)), Viewport(box[2], box[3])
