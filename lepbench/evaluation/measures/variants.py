"""Which item a picture's item is a variant of, and which variant."""

from __future__ import annotations

import pyarrow as pa

from lepbench.evaluation.measures.base import MEASURES, Columns, ConditionSamples, Measure, ScoringBatch
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.statistics import Draws

NAMES = ("original", "level")


@MEASURES.register("variants")
class Variants(Measure):
    """Columns without figures: samples are resampled by `original`, and figures by level need `level`."""

    truths = ("original",)

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return dict.fromkeys(NAMES, pa.string())

    def count(self, batch: ScoringBatch) -> Columns:
        # Of the sample's own item: that of another is what the condition `wrong_sketch` compares it with.
        items = [sample.item for sample in batch.samples]
        return {
            "original": [item.original or item.item_id for item in items],
            "level": [item.level for item in items],
        }

    def metrics(self, protocol: Protocol) -> list[str]:
        return []

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        return {}
