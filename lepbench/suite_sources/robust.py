"""Suites of disturbed sketches: other pens, polarities and files, other places and sizes, gaps."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from lepbench.images import encode_png
from lepbench.seeds import derive_seed
from lepbench.sketches import Fault, Unusable
from lepbench.suite_sources.base import SUITE_SOURCES
from lepbench.suite_sources.disturbances import (
    MOVES,
    Disturbance,
    choose_direction,
    disturb_sketch,
    move_map,
    parse_disturbance,
)
from lepbench.suite_sources.variants import OriginalItem, VariantSource
from lepbench.suites import Truth
from lepbench.suites.freeze import ItemRow

MOVED = ("image", "sketch", "contour", "mask", "strokes")
"""Columns that move with the sketch."""


@SUITE_SOURCES.register("robust")
class RobustSource(VariantSource):
    """The sketches of a suite, disturbed in one way at each level.

    A pen, a polarity, a file or a gap changes what a method gets, and pictures are compared with the sketch
    as it was. A shift or a scale moves all that is known of the item with the sketch.

    Settings: `changes`, of `none`, `width-PX`, `inverted`, `white-on-black`, `jpeg-QUALITY`, `gaps-SHARE`,
    `shift-PX` and `scale-FACTOR`.
    """

    needs: ClassVar[tuple[Truth, ...]] = ()
    protocol: ClassVar[str] = "lepbench-robust-v1"
    question: ClassVar[str] = "its sketch is disturbed in one way"
    name: Literal["robust"] = "robust"
    changes: tuple[str, ...] = Field(
        default=("none", "width-3", "inverted", "jpeg-10", "gaps-0.3", "shift-6", "scale-0.7"), min_length=1
    )

    @field_validator("changes")
    @classmethod
    def _are_known(cls, changes: tuple[str, ...]) -> tuple[str, ...]:
        known: dict[Disturbance, str] = {}
        for change in changes:
            other = known.setdefault(parse_disturbance(change), change)
            if other != change:
                raise ValueError(f"{other} and {change} are one change; remove one")
        return changes

    def list_levels(self) -> tuple[str, ...]:
        return self.changes

    def vary(self, original: OriginalItem, level: str) -> ItemRow:
        item, change = original.item, parse_disturbance(level)
        if change.kind not in MOVES:
            given = disturb_sketch(item.sketch, change, derive_seed(self.seed, item.item_id))
            _require_strokes(given, level)
            return {"given": encode_png(given)}
        direction = choose_direction(item.sketch)
        _require_strokes(move_map(item.sketch, change, direction), level)
        return {
            name: encode_png(move_map(getattr(item, name), change, direction))
            for name in MOVED
            if original.row.get(name) is not None
        }


def _require_strokes(sketch: NDArray[np.bool_], level: str) -> None:
    if not sketch.any():
        raise Unusable(Fault.EMPTY, f"after {level}")
