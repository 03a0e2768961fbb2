"""Semantic agreement of image and sketch, for sketches without strict alignment."""

from __future__ import annotations

import pyarrow as pa
import torch

from lepbench.evaluation.figure_names import label_figure
from lepbench.evaluation.measures.base import (
    MEASURES,
    Columns,
    ConditionSamples,
    Measure,
    ScoringBatch,
    require_finite,
)
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.clip import cosine
from lepbench.metrics.statistics import Draws


@MEASURES.register("sketches")
class Sketches(Measure):
    """Similarity of sketch and picture in one space of both."""

    abilities = ("sketches",)

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return dict.fromkeys(self.metrics(protocol), pa.float32())

    @torch.no_grad()
    def count(self, batch: ScoringBatch) -> Columns:
        columns: Columns = {}
        for label in batch.protocol.find_labels("sketches"):
            matching = batch.judges[label].sketches
            assert matching is not None
            pictures = batch.embed(matching.pictures, label)
            sketches = require_finite(matching.sketches(batch.sketches), label)
            columns[label_figure("sketch_similarity", label)] = cosine(pictures, sketches).tolist()
        return columns

    def metrics(self, protocol: Protocol) -> list[str]:
        return [label_figure("sketch_similarity", label) for label in protocol.find_labels("sketches")]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        return {name: row.mean(row.numbers(name)) for name in self.metrics(row.protocol)}
