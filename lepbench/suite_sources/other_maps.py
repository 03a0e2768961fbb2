"""Suites of other maps than edges: the exact contours of an item, the outline of its mask, or the mask."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lepbench.images import encode_png
from lepbench.suite_sources.base import SUITE_SOURCES
from lepbench.suite_sources.variants import OriginalItem, VariantSource
from lepbench.suites import Item, Truth
from lepbench.suites.freeze import ItemRow

MapName = Literal["sketch", "contour", "outline", "mask"]


@SUITE_SOURCES.register("maps")
class MapsSource(VariantSource):
    """The items of a suite with another map in the place of the sketch.

    Pictures are held against the sketch. Maps are binary, as a method gets them: a filled mask suits a
    predictor that was trained on masks, and shows of another what it makes of one.

    Settings: `maps`, of `sketch`, `contour` (exact, inner lines too), `outline` (of the mask) and `mask`.
    """

    needs: ClassVar[tuple[Truth, ...]] = ("contours", "mask")
    protocol: ClassVar[str] = "lepbench-maps-v1"
    question: ClassVar[str] = "another map is given in the place of the sketch"
    keeps_sketch: ClassVar[bool] = True
    name: Literal["maps"] = "maps"
    maps: tuple[MapName, ...] = Field(default=("sketch", "contour", "outline", "mask"), min_length=1)

    def list_levels(self) -> tuple[str, ...]:
        return self.maps

    def vary(self, original: OriginalItem, level: str) -> ItemRow:
        return {"given": encode_png(MAPS[level](original.item))}


def draw_outline(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of a mask [H, W] that have a neighbour, of four, inside the picture that is none of it."""
    from scipy import ndimage

    return np.asarray(mask & ~ndimage.binary_erosion(mask, border_value=1))


def _known(map_: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """A map that every item of the suite has."""
    assert map_ is not None
    return map_


MAPS: dict[str, Callable[[Item], NDArray[np.bool_]]] = {
    "sketch": lambda item: item.sketch,
    "contour": lambda item: _known(item.contour),
    "outline": lambda item: draw_outline(_known(item.mask)),
    "mask": lambda item: _known(item.mask),
}
