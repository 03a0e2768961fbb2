"""Chamfer distance between the image's edges and the sketch."""

from __future__ import annotations

import pyarrow as pa

from lepbench.evaluation.directions import CHAMFER
from lepbench.evaluation.measures.base import MEASURES, Columns, ConditionSamples, Measure, ScoringBatch
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.chamfer import chamfer_distance
from lepbench.metrics.statistics import Draws


@MEASURES.register("chamfer")
class Chamfer(Measure):
    """Symmetric Chamfer distance to the sketch, in pixels."""

    truths = ("edges",)
    lower_is_better = (CHAMFER,)

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return {CHAMFER: pa.float32()}

    def count(self, batch: ScoringBatch) -> Columns:
        return {CHAMFER: chamfer_distance(batch.edges, batch.sketches).tolist()}

    def metrics(self, protocol: Protocol) -> list[str]:
        return [CHAMFER]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        return {CHAMFER: row.mean(row.numbers(CHAMFER))}
