"""Recall of the sketch's strokes."""

from __future__ import annotations

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


@MEASURES.register("strokes")
class Strokes(Measure):
    """Recall of every stroke, however short, averaged over the strokes of a sketch."""

    truths = ("strokes",)

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return dict.fromkeys(self.metrics(protocol), pa.float32())

    def count(self, batch: ScoringBatch) -> Columns:
        rules = batch.protocol
        strokes = stack_maps([item.strokes for item in batch.truths])
        scores = stroke_recall(batch.edges, strokes, rules.stroke_reach[1])
        columns = zip(self.metrics(rules), scores, strict=True)
        return {name: values.tolist() for name, values in columns}

    def metrics(self, protocol: Protocol) -> list[str]:
        label, _ = protocol.stroke_reach
        return [f"stroke_recall_{label}", f"strokes_found_{label}"]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        return row.means_of_columns(self.metrics(row.protocol))
