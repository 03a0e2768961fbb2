"""How much each level differs from the first."""

from __future__ import annotations

import numpy as np

from lepbench.evaluation.figure_names import name_part
from lepbench.evaluation.measures.base import MEASURES, ConditionSamples, Scores
from lepbench.evaluation.measures.levels import ByLevel, divide_levels, list_figures, spread_levels
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.statistics import Draws


@MEASURES.register("changes")
class Changes(ByLevel):
    """The mean of a level less that of the first, `FIGURE_change_LEVEL`, paired by the items."""

    def metrics(self, protocol: Protocol) -> list[str]:
        return [
            name_part(figure, f"change_{level}")
            for figure in list_figures(protocol)
            for level in protocol.levels[1:]
        ]

    def draw_figure(self, row: ConditionSamples, figure: str, values: Scores) -> dict[str, Draws]:
        first, *others = row.protocol.levels
        found = {}
        for level in others:
            columns = spread_levels(row, values, (first, level))
            if columns[:, 2:].any(axis=0).all():
                name = name_part(figure, f"change_{level}")
                found[name] = row.bootstrap(columns, row.items, subtract_first)
        return found


def subtract_first(means: Scores) -> Scores:
    """The mean of the second of two levels less that of the first, from means of `spread_levels`."""
    levels = divide_levels(means)
    return np.asarray(levels[..., 1] - levels[..., 0])
