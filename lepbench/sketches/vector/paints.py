"""Paints: what `fill` and `stroke` say, as one colour with its opacity."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from xml.etree.ElementTree import Element

import numpy as np
from tinycss2 import color4

from lepbench.sketches.vector.cascade import Style
from lepbench.sketches.vector.lengths import parse_share
from lepbench.sketches.vector.markup import reference_of, tag_of

URL = re.compile(r"""url\(\s*["']?([^"')]*)["']?\s*\)\s*(.*)""", re.DOTALL)
GRADIENTS = ("linearGradient", "radialGradient")
DEEPEST = 16
"""Gradients that take their stops from one another, at most."""


class Paint(NamedTuple):
    """Red, green and blue from 0 to 255, and the opacity from 0 to 1."""

    red: float
    green: float
    blue: float
    alpha: float


UNKNOWN = Paint(127, 127, 127, alpha=1)
"""Of a pattern, or of a colour in a space that is not converted."""


class Paints:
    """The paints of a document's elements.

    Args:
        ids: its elements by id.
        styles: what is said of each.
    """

    def __init__(self, ids: Mapping[str, Element], styles: Mapping[Element, Style]) -> None:
        self.ids, self.styles = ids, styles

    def resolve(self, style: Style, kind: str, default: str) -> Paint | None:
        """The paint of `fill` or `stroke`, by its own opacity; None where nothing is painted."""
        paint = self._look_up(style.get(kind, default), style)
        if paint is None:
            return None
        alpha = paint.alpha * parse_share(style.get(f"{kind}-opacity"))
        return paint._replace(alpha=alpha) if alpha > 0 else None

    def is_pattern(self, value: str) -> bool:
        """Whether a paint is a pattern, which is painted as a plain grey."""
        element = self.find_target(value)
        return element is not None and tag_of(element) == "pattern"

    def find_target(self, value: str) -> Element | None:
        """The element of this document that a `url()` refers to."""
        found = URL.match(value)
        reference = found[1].strip() if found else ""
        return self.ids.get(reference[1:]) if reference.startswith("#") else None

    def _look_up(self, value: str, style: Style) -> Paint | None:
        found = URL.match(value)
        if found is None:
            return parse_colour(value, style)
        element = self.find_target(value)
        if element is None or tag_of(element) not in (*GRADIENTS, "pattern"):
            return parse_colour(found[2], style)
        return UNKNOWN if tag_of(element) == "pattern" else self._mean_of_stops(element)

    def _mean_of_stops(self, gradient: Element) -> Paint | None:
        """A gradient's paint; None where it has no stops."""
        for _ in range(DEEPEST):
            stops = [self._stop(child) for child in gradient if tag_of(child) == "stop"]
            if stops:
                return Paint(*np.mean(stops, axis=0))
            parent = self.ids.get(reference_of(gradient).removeprefix("#"))
            if parent is None or tag_of(parent) not in GRADIENTS:
                return None
            gradient = parent
        return None

    def _stop(self, stop: Element) -> Paint:
        style = self.styles[stop]
        colour = parse_colour(style.get("stop-color", "black"), style) or UNKNOWN
        return colour._replace(alpha=colour.alpha * parse_share(style.get("stop-opacity")))


def find_background(style: Style) -> Paint | None:
    """The colour that a root has behind it; None where there is none."""
    values = (style.get(name, "none") for name in ("background-color", "background"))
    return next((paint for paint in (parse_colour(value, style) for value in values) if paint), None)


def parse_colour(value: str, style: Style) -> Paint | None:
    """A CSS colour; None for none, and for what is no colour."""
    colour = color4.parse_color(value.strip())
    if colour == "currentcolor":
        own = style.get("color", "black")
        return parse_colour("black" if own.lower() == "currentcolor" else own, style)
    if colour is None:
        return None
    try:
        red, green, blue, alpha = colour.to("srgb")
    except NotImplementedError:
        return UNKNOWN._replace(alpha=colour.alpha)
    return Paint(red * 255, green * 255, blue * 255, alpha=alpha)
