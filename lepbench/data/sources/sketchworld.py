"""The embedded procedural world as a corpus."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lepbench.data.corpus import Corpus, Entry, Original
from lepbench.data.sources.base import SOURCES, Source

ENOUGH = 4096
"""Scenes taken where no limit is given: the paper trains its predictor on a few thousand."""


@SOURCES.register("sketchworld")
class Sketchworld(Source):
    """Scenes `start`, `start + 1`, ... of one split, drawn at the size asked for.

    The world has no end, so without a limit it gives `ENOUGH` scenes.
    """

    name: Literal["sketchworld"] = "sketchworld"
    split: Literal["train", "validation", "test", "compositional"] = "train"
    start: int = Field(default=0, ge=0)

    def open(self, size: int, limit: int | None) -> Corpus:
        from lepbench.sketchworld import VERSION, render, scene

        def entry(number: int) -> Entry:
            place = scene(self.split, self.start + number)
            return Entry(place.id, lambda: Original(render(place, size=size).image, place.caption))

        return Corpus(
            label=f"sketchworld@{VERSION}",
            licence="Apache-2.0",
            split=self.split,
            recipe={**self.model_dump(mode="json"), "version": VERSION},
            count=ENOUGH if limit is None else limit,
            entry=entry,
        )
