"""Suites of weighted strokes: one stroke of each sketch matters less or more than the others."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lepbench.images import encode_png
from lepbench.seeds import derive_seed
from lepbench.sketches import Unusable
from lepbench.strokes import find_surroundings
from lepbench.suite_sources.base import SUITE_SOURCES
from lepbench.suite_sources.variants import OriginalItem, VariantSource
from lepbench.suites import Truth
from lepbench.suites.freeze import ItemRow

Weight = Annotated[float, Field(ge=0, le=100)]
LEAST = 1 / 8
"""Pixels of the stroke at least, in sides of the picture: of less a recall says little."""


class StrokeFault(StrEnum):
    """Why a sketch has no stroke to weight."""

    FEW = "no long stroke beside another"


@SUITE_SOURCES.register("strokes")
class StrokesSource(VariantSource):
    """One stroke of each sketch of a suite, with several weights; the others keep 1.

    The stroke is picked by a hash among those of some length, the same at every weight. Its weight holds
    around it, where no other stroke is nearer: a line alone is too thin to weigh in a latent's cells.

    Settings: `weights`, each from 0 up.
    """

    needs: ClassVar[tuple[Truth, ...]] = ("strokes",)
    protocol: ClassVar[str] = "lepbench-strokes-v1"
    question: ClassVar[str] = "one stroke, the same at each level, matters that much and the others 1"
    keeps_sketch: ClassVar[bool] = True
    name: Literal["strokes"] = "strokes"
    weights: tuple[Weight, ...] = Field(default=(0, 0.5, 1, 2), min_length=1)

    def list_levels(self) -> tuple[str, ...]:
        return tuple(f"{weight:g}" for weight in self.weights)

    def vary(self, original: OriginalItem, level: str) -> ItemRow:
        strokes = original.item.strokes
        number = pick_stroke(strokes, derive_seed(self.seed, original.item.item_id))
        return {
            "stroke": number,
            "weight": self.weights[self.list_levels().index(level)],
            "weighted": encode_png(find_surroundings(strokes == number, strokes > 0)),
        }


def pick_stroke(strokes: NDArray[np.unsignedinteger], seed: int) -> int:
    """The number of a stroke of some length, of strokes [H, W] numbered from 1.

    Raises:
        Unusable: none is long enough, or there is no other.
    """
    pixels = np.bincount(strokes.ravel())
    pixels[0] = 0
    long = np.flatnonzero(pixels >= LEAST * len(strokes))
    if np.count_nonzero(pixels) < 2 or not len(long):
        raise Unusable(StrokeFault.FEW, f"{np.count_nonzero(pixels)} strokes, {len(long)} of them long")
    return int(long[seed % len(long)])
