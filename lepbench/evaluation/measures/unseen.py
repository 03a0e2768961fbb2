"""Recall of the strokes that an unfinished sketch does not show yet."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

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


@MEASURES.register("unseen")
class Unseen(Measure):
    """Recall of the strokes of the whole sketch that were not given: does the model draw what is missing?"""

    truths = ("whole", "strokes")

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return dict.fromkeys(self.metrics(protocol), pa.float32())

    def count(self, batch: ScoringBatch) -> Columns:
        missing = [
            np.where(item.strokes > 0, 0, item.strokes if item.whole is None else item.whole).astype(np.int32)
            for item in batch.truths
        ]
        found = stroke_recall(batch.edges, stack_maps(missing), batch.protocol.stroke_reach[1])
        known = [None if np.isnan(share) else share for share in found.recall.tolist()]
        return {self.metrics(batch.protocol)[0]: known}

    def metrics(self, protocol: Protocol) -> list[str]:
        return [f"unseen_recall_{protocol.stroke_reach[0]}"]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        name = self.metrics(row.protocol)[0]
        return row.mean_of_known(name, row.numbers(name))
