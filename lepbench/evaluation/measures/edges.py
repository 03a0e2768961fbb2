"""Edge precision, recall and F1 against the sketch, and F1 against the exact contours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import pyarrow as pa
from torch import Tensor

from lepbench.evaluation.measures.base import (
    MEASURES,
    Columns,
    ConditionSamples,
    Measure,
    ScoringBatch,
    name_count_columns,
    name_counts,
    stack_maps,
    type_integers,
)
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.edges import EdgeCounts, edge_counts, precision_recall_f1
from lepbench.metrics.statistics import Draws


class AgainstSketch(Measure):
    """Precision, recall and F1 against the sketch at every tolerance.

    Attributes:
        prefix: of its columns and metrics.
        kinds: which of the three are published.
        match: counts the pixels that agree.
    """

    prefix: ClassVar[str]
    kinds: ClassVar[tuple[str, ...]]
    match: ClassVar[staticmethod[[Tensor, Tensor, Sequence[float]], EdgeCounts]]

    def list_tolerances(self, protocol: Protocol) -> dict[str, float]:
        """The tolerances in pixels, by what they are called."""
        return dict(zip(protocol.labels, protocol.distances, strict=True))

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return type_integers(name_count_columns(self.prefix, list(self.list_tolerances(protocol))))

    def count(self, batch: ScoringBatch) -> Columns:
        tolerances = self.list_tolerances(batch.protocol)
        found = self.match(batch.edges, batch.sketches, list(tolerances.values()))
        return name_counts(self.prefix, list(tolerances), found)

    def metrics(self, protocol: Protocol) -> list[str]:
        labels = self.list_tolerances(protocol)
        return [f"{self.prefix}_{kind}_{label}" for kind in self.kinds for label in labels]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        labels = list(self.list_tolerances(row.protocol))
        scores = precision_recall_f1(row.edge_counts(self.prefix, labels))
        return {
            f"{self.prefix}_{kind}_{label}": row.mean(getattr(scores, kind)[:, column])
            for kind in self.kinds
            for column, label in enumerate(labels)
        }


@MEASURES.register("edges")
class Edges(AgainstSketch):
    """By distance: a pixel matches if the other map has one near."""

    prefix = "edge"
    kinds = ("f1", "precision", "recall")
    match = staticmethod(edge_counts)


@MEASURES.register("contours")
class Contours(Measure):
    """F1 of a second detector's edges against the exact contours, which no detector drew."""

    truths = ("contours",)

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return type_integers(name_count_columns("contour", [_label(protocol)]))

    def count(self, batch: ScoringBatch) -> Columns:
        rules = batch.protocol
        target = stack_maps([item.contour for item in batch.truths])
        found = edge_counts(
            batch.detect(rules.contour_detector or rules.detector), target, [rules.contour_tolerance]
        )
        return name_counts("contour", [_label(rules)], found)

    def metrics(self, protocol: Protocol) -> list[str]:
        return [f"edge_f1_{_label(protocol)}_contour"]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        scores = precision_recall_f1(row.edge_counts("contour", [_label(row.protocol)]))
        return {self.metrics(row.protocol)[0]: row.mean(scores.f1[:, 0])}


def _label(protocol: Protocol) -> str:
    return f"{protocol.contour_tolerance}px"
