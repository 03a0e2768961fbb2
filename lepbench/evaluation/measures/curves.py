"""Figures of each level of a suite of variants."""

from __future__ import annotations

from functools import partial

import numpy as np

from lepbench.evaluation.figure_names import name_part
from lepbench.evaluation.measures.base import MEASURES, ConditionSamples, Scores
from lepbench.evaluation.measures.levels import ByLevel, divide_levels, list_figures, spread_levels
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.statistics import Draws


@MEASURES.register("curves")
class Curves(ByLevel):
    """The mean of a figure over the samples of each level, `FIGURE_at_LEVEL`.

    All levels have the same resamples of the items that the variants are of, so that they may be subtracted.
    """

    def metrics(self, protocol: Protocol) -> list[str]:
        return [
            name_part(figure, f"at_{level}") for figure in list_figures(protocol) for level in protocol.levels
        ]

    def draw_figure(self, row: ConditionSamples, figure: str, values: Scores) -> dict[str, Draws]:
        levels = row.protocol.levels
        columns = spread_levels(row, values, levels)
        return {
            name_part(figure, f"at_{level}"): row.bootstrap(columns, row.items, partial(take_level, number))
            for number, level in enumerate(levels)
            if columns[:, len(levels) + number].any()
        }


def take_level(number: int, means: Scores) -> Scores:
    """The mean of one level."""
    return np.asarray(divide_levels(means)[..., number])
