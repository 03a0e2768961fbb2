"""Recall of the stroke with a weight of its own, beside that of the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lepbench.evaluation.directions import WEIGHTED
from lepbench.evaluation.measures.base import (
    MEASURES,
    Columns,
    ConditionSamples,
    Measure,
    ScoringBatch,
    stack_maps,
)
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.statistics import Draws
from lepbench.metrics.strokes import stroke_recall
from lepbench.suites import Item


@MEASURES.register("weighted")
class Weighted(Measure):
    """Recall of the weighted stroke, of the others, and how far the first is ahead.

    If weights act, the recall of the stroke rises with its weight, and that of the others does not.
    """

    neither_is_better = WEIGHTED
    truths = ("strokes", "weights")

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return dict.fromkeys(self.metrics(protocol), pa.float32())

    def count(self, batch: ScoringBatch) -> Columns:
        reach = batch.protocol.stroke_reach[1]
        own, others = (
            stroke_recall(
                batch.edges, stack_maps([part_strokes(item, chosen) for item in batch.truths]), reach
            ).recall
            for chosen in (True, False)
        )
        values = (own, others, own - others)
        return {
            name: [None if np.isnan(one) else one for one in column.tolist()]
            for name, column in zip(self.metrics(batch.protocol), values, strict=True)
        }

    def metrics(self, protocol: Protocol) -> list[str]:
        label = protocol.stroke_reach[0]
        return [f"{name}_{label}" for name in WEIGHTED]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        return row.means_of_columns(self.metrics(row.protocol))


def part_strokes(item: Item, chosen: bool) -> NDArray[Any]:
    """The weighted stroke alone, or the strokes without it, int32 [H, W]; none of an item without one."""
    if item.stroke is None:
        return np.zeros(item.strokes.shape, np.int32)
    kept = (item.strokes == item.stroke) == chosen
    return np.where(kept, item.strokes, 0).astype(np.int32)
