"""Chamfer distance between the image's edges and the sketch."""

from __future__ import annotations

import pyarrow as pa

from lepbench.evaluation.measures.base import MEASURES, Columns, ConditionSamples, Measure, ScoringBatch
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.chamfer import chamfer_distance
from lepbench.metrics.statistics import Draws


@MEASURES.register("chamfer")
class Chamfer(Measure):
    """Symmetric Chamfer distance to the sketch, in pixels."""

    truths = ("edges",)
    lower_is_better = ("chamfer_px",)

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return {"chamfer_px": pa.float32()}

    def count(self, batch: ScoringBatch) -> Columns:
        return {"chamfer_px": chamfer_distance(batch.edges, batch.sketches).tolist()}

    def metrics(self, protocol: Protocol) -> list[str]:
        return ["chamfer_px"]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        return {"chamfer_px": row.mean(row.numbers("chamfer_px"))}
