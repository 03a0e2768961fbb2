"""Do the picture's edges lie where the sketch, or the exact contour, has a line?"""

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
    stacked,
)
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.edges import edge_counts, precision_recall_f1
from lepbench.metrics.statistics import Draws

KINDS = ("f1", "precision", "recall")


@MEASURES.register("edges")
class Edges(Measure):
    """Precision, recall and F1 against the sketch at every tolerance, by distance."""

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return integers(count_columns("edge", protocol.labels))

    def count(self, batch: Batch) -> Columns:
        rules = batch.protocol
        return counted("edge", rules.labels, edge_counts(batch.edges, batch.sketches, rules.distances))

    def metrics(self, protocol: Protocol) -> list[str]:
        return [f"edge_{kind}_{label}" for kind in KINDS for label in protocol.labels]

    def draws(self, row: RowSamples) -> dict[str, Draws]:
        labels = row.protocol.labels
        scores = precision_recall_f1(row.edge_counts("edge", labels))
        return {
            f"edge_{kind}_{label}": row.mean(getattr(scores, kind)[:, column])
            for kind in KINDS
            for column, label in enumerate(labels)
        }


@MEASURES.register("contours")
class Contours(Measure):
    """F1 of a second detector's edges against the exact contours, which no detector drew."""

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return integers(count_columns("contour", [_label(protocol)]))

    def count(self, batch: Batch) -> Columns:
        rules = batch.protocol
        target = stacked([item.contour for item in batch.truths])
        found = edge_counts(rules.contour_detector(batch.images), target, [rules.contour_tolerance])
        return counted("contour", [_label(rules)], found)

    def metrics(self, protocol: Protocol) -> list[str]:
        return [f"edge_f1_{_label(protocol)}_contour"]

    def draws(self, row: RowSamples) -> dict[str, Draws]:
        scores = precision_recall_f1(row.edge_counts("contour", [_label(row.protocol)]))
        return {self.metrics(row.protocol)[0]: row.mean(scores.f1[:, 0])}


def _label(protocol: Protocol) -> str:
    return f"{protocol.contour_tolerance}px"
