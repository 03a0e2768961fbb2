"""How much a figure differs between the variants of one item."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lepbench.evaluation.figure_names import name_part
from lepbench.evaluation.measures.base import MEASURES, ConditionSamples, Scores
from lepbench.evaluation.measures.levels import ByLevel, list_figures
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.statistics import Draws


@MEASURES.register("spreads")
class Spreads(ByLevel):
    """Mean over items of the standard deviation over their variants, `FIGURE_spread`: 0 where none matters.

    Samples of one variant are averaged first. An item counts if all its variants have the figure.
    """

    def metrics(self, protocol: Protocol) -> list[str]:
        several = len(protocol.levels) > 1
        return [name_part(figure, "spread") for figure in list_figures(protocol) if several]

    def draw_figure(self, row: ConditionSamples, figure: str, values: Scores) -> dict[str, Draws]:
        table = pd.DataFrame({"original": row.originals, "level": row.frame["level"], "value": values})
        means = table.groupby(["original", "level"])["value"].mean().unstack()
        whole = means.reindex(columns=list(row.protocol.levels)).dropna()
        if whole.empty or len(row.protocol.levels) < 2:
            return {}
        spreads = whole.std(axis=1, ddof=0).to_numpy(np.float64)
        return {name_part(figure, "spread"): row.bootstrap(spreads, whole.index.to_numpy())}
