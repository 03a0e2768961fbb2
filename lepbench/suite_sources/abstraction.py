"""Suites of free-hand sketches: each scene of sketchworld at every level of abstraction."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from lepbench.suite_sources.base import SUITE_SOURCES
from lepbench.suite_sources.drawings import draw_strokes
from lepbench.suite_sources.variants import OriginalItem, VariantSource
from lepbench.suite_sources.worlds import restore_scene
from lepbench.suites import Truth
from lepbench.suites.freeze import ItemRow


@SUITE_SOURCES.register("freehand")
class FreehandSource(VariantSource):
    """Free-hand sketches of the scenes of a suite: from exact contours, level 0, to a few loose strokes, 4.

    Settings: `levels`, each once.
    """

    needs: ClassVar[tuple[Truth, ...]] = ("scene",)
    protocol: ClassVar[str] = "lepbench-abstraction-v1"
    question: ClassVar[str] = "its scene is drawn by hand, more abstractly at each level"
    name: Literal["freehand"] = "freehand"
    levels: tuple[int, ...] = Field(default=(0, 1, 2, 3, 4), min_length=1)

    @field_validator("levels")
    @classmethod
    def _are_drawn(cls, levels: tuple[int, ...]) -> tuple[int, ...]:
        from lepbench.sketchworld import LEVELS

        if len(set(levels)) < len(levels) or not set(levels) <= set(LEVELS):
            raise ValueError(f"must be some of {', '.join(map(str, LEVELS))}, each once")
        return levels

    def list_levels(self) -> tuple[str, ...]:
        return tuple(map(str, self.levels))

    def vary(self, original: OriginalItem, level: str) -> ItemRow:
        from lepbench.sketchworld import freehand

        size = original.suite.definition.size
        drawn = freehand(restore_scene(original.item.scene), int(level), size)
        return draw_strokes([stroke.points for stroke in drawn.strokes], size)
