"""Strict F1 of the pooled pixels of an item's samples, as ControlNet++ publishes it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from lepbench.evaluation.measures.base import (
    MEASURES,
    Columns,
    ConditionSamples,
    Measure,
    ScoringBatch,
    name_count_columns,
)
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.statistics import Draws

NAME = "pooled_f1_0px"
LABEL = "0px"


@MEASURES.register("pooled_edges")
class PooledEdges(Measure):
    """Pixel-exact F1 of counts summed over the samples of an item, then the mean over items.

    A ratio over nothing is 0, as torchmetrics has it. It needs the columns of `edges` at 0 px.

    Source: Li et al., "ControlNet++: Improving conditional controls with efficient consistency feedback",
    2024.
    """

    truths = ("edges",)

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return {}

    def count(self, batch: ScoringBatch) -> Columns:
        return {}

    def reads(self, protocol: Protocol) -> list[str]:
        return name_count_columns("edge", [LABEL])

    def metrics(self, protocol: Protocol) -> list[str]:
        return [NAME]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        counts = row.edge_counts("edge", [LABEL])
        items, places = np.unique(row.items, return_inverse=True)
        hits, found, wanted = (
            np.bincount(places, weights=column[:, 0])
            for column in (counts.matched_predicted, counts.predicted, counts.target)
        )
        return {NAME: row.bootstrap(2 * hits / np.maximum(found + wanted, 1), items)}
