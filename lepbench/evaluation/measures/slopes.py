"""How much a figure changes from level to level."""

from __future__ import annotations

from functools import partial

import numpy as np

from lepbench.evaluation.figure_names import name_part
from lepbench.evaluation.measures.base import MEASURES, ConditionSamples, Scores
from lepbench.evaluation.measures.levels import ByLevel, divide_levels, list_figures, spread_levels
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.statistics import Draws
from lepbench.metrics.trend import fit_slope


@MEASURES.register("slopes")
class Slopes(ByLevel):
    """Slope of the least-squares line through the means of the levels, for levels that are numbers."""

    def metrics(self, protocol: Protocol) -> list[str]:
        return [name_part(figure, "slope") for figure in list_figures(protocol) if read_numbers(protocol)]

    def draw_figure(self, row: ConditionSamples, figure: str, values: Scores) -> dict[str, Draws]:
        places = read_numbers(row.protocol)
        columns = spread_levels(row, values, row.protocol.levels)
        if not places or not columns[:, len(places) :].any(axis=0).all():
            return {}
        slope = partial(slope_of_means, np.array(places))
        return {name_part(figure, "slope"): row.bootstrap(columns, row.items, slope)}


def slope_of_means(places: Scores, means: Scores) -> Scores:
    """The slope over levels at `places` [L] from means of `spread_levels` [..., 2 L]."""
    return fit_slope(places, divide_levels(means))


def read_numbers(protocol: Protocol) -> list[float]:
    """The levels as numbers; empty where one is none, or where there are fewer than two."""
    try:
        places = [float(level) for level in protocol.levels]
    except ValueError:
        return []
    return places if len(set(places)) > 1 and np.isfinite(places).all() else []
