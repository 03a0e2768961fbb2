"""Edges once more, pixels paired one to one: a doubled line costs here what distance does not see."""

from __future__ import annotations

import pyarrow as pa

from lepbench.evaluation.measures.base import (
    MEASURES,
    Batch,
    Columns,
    Measure,
    RowSamples,
    count_columns,
    counted,
    integers,
)
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.edges import precision_recall_f1
from lepbench.metrics.one_to_one import one_to_one_counts
from lepbench.metrics.statistics import Draws


@MEASURES.register("paired")
class Paired(Measure):
    """F1 against the sketch at every tolerance, by one-to-one assignment."""

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return integers(count_columns("paired", protocol.labels))

    def count(self, batch: Batch) -> Columns:
        rules = batch.protocol
        found = one_to_one_counts(batch.edges, batch.sketches, rules.distances)
        return counted("paired", rules.labels, found)

    def metrics(self, protocol: Protocol) -> list[str]:
        return [f"paired_f1_{label}" for label in protocol.labels]

    def draws(self, row: RowSamples) -> dict[str, Draws]:
        f1 = precision_recall_f1(row.edge_counts("paired", row.protocol.labels)).f1
        return {name: row.mean(f1[:, i]) for i, name in enumerate(self.metrics(row.protocol))}
