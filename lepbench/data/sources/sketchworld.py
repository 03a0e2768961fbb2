"""The embedded procedural data set as a corpus."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from lepbench.data.corpus import Corpus, Entry, Original
from lepbench.data.sources.base import SOURCES, Source

ENOUGH = 4096
"""Scenes taken where no limit is given: the paper trains its predictor on a few thousand."""


@SOURCES.register("sketchworld")
class Sketchworld(Source):
    """Scenes `start`, `start + 1`, ... of one split, drawn at the size asked for.

    There are unlimited scenes; without a limit it gives `ENOUGH`.
    """

    name: Literal["sketchworld"] = "sketchworld"
    split: Literal["train", "validation", "test", "compositional"] = "train"
    start: int = Field(default=0, ge=0)

    def open(self, size: int, limit: int | None) -> Corpus:
        return SketchworldCorpus(self, size, ENOUGH if limit is None else limit)


class SketchworldCorpus(Corpus):
    """The scenes of a `Sketchworld`."""

    licence = "Apache-2.0"

    def __init__(self, source: Sketchworld, size: int, count: int) -> None:
        from lepbench.sketchworld import VERSION

        self.source, self.size, self.count = source, size, count
        self.split = source.split
        self.label = f"sketchworld@{VERSION}"

    def entry(self, number: int) -> Entry:
        from lepbench.sketchworld import render, scene

        place = scene(self.source.split, self.source.start + number)
        return Entry(place.id, lambda: Original(render(place, size=self.size).image, place.caption))

    def recipe(self) -> dict[str, Any]:
        from lepbench.sketchworld import VERSION

        return {**self.source.model_dump(mode="json"), "version": VERSION}
