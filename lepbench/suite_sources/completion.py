"""Suites of unfinished sketches: the first strokes of a drawing, up to the whole of it."""

from __future__ import annotations

import itertools
import math
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator

from lepbench.images import encode_png
from lepbench.suite_sources.base import SUITE_SOURCES
from lepbench.suite_sources.variants import OriginalItem, VariantSource
from lepbench.suites import Truth
from lepbench.suites.freeze import ItemRow

Share = Annotated[float, Field(gt=0, le=1)]


@SUITE_SOURCES.register("completion")
class CompletionSource(VariantSource):
    """The first strokes of each sketch of a suite, in the order in which they were drawn.

    Of n strokes a share f keeps the first f n, rounded up. Where strokes cross, the later one has the pixel:
    without it the earlier one has a gap there.

    Settings: `fractions`, shares of the strokes, each once and rising.
    """

    needs: ClassVar[tuple[Truth, ...]] = ("strokes",)
    protocol: ClassVar[str] = "lepbench-completion-v1"
    question: ClassVar[str] = "its first strokes, a share of them, in drawing order"
    name: Literal["completion"] = "completion"
    fractions: tuple[Share, ...] = Field(default=(0.2, 0.4, 0.6, 0.8, 1.0), min_length=1)

    @field_validator("fractions")
    @classmethod
    def _rise(cls, fractions: tuple[float, ...]) -> tuple[float, ...]:
        if any(one >= other for one, other in itertools.pairwise(fractions)):
            raise ValueError("must rise, such as [0.5, 1]")
        return fractions

    def list_levels(self) -> tuple[str, ...]:
        return tuple(f"{fraction:g}" for fraction in self.fractions)

    def vary(self, original: OriginalItem, level: str) -> ItemRow:
        whole = original.item.strokes
        numbers = np.unique(whole[whole.astype(np.bool_)])
        # A share such as 0.7 of 10 strokes is a little over 7 as a float.
        share = self.fractions[self.list_levels().index(level)]
        last = numbers[max(math.ceil(share * len(numbers) - 1e-9), 1) - 1]
        given = whole * (whole <= last)
        return {
            "sketch": encode_png(given.astype(np.bool_)),
            "strokes": encode_png(given),
            "whole": encode_png(whole),
        }
