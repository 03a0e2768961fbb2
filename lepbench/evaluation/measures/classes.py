"""Accuracy of the class that a picture shows, where items have one."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import torch

from lepbench.evaluation.figure_names import label_figure
from lepbench.evaluation.measures.base import MEASURES, Columns, ConditionSamples, Measure, ScoringBatch
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.statistics import Draws

TRUE = "class_true"


@MEASURES.register("classes")
class Classes(Measure):
    """Share of pictures that a classifier reads as their item's class."""

    truths = ("label",)
    abilities = ("classes",)

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        read = (label_figure("class_read", label) for label in protocol.find_labels("classes"))
        return dict.fromkeys([TRUE, *read], pa.string())

    @torch.no_grad()
    def count(self, batch: ScoringBatch) -> Columns:
        true = [item.label for item in batch.truths]
        columns: Columns = {TRUE: true}
        for label in batch.protocol.find_labels("classes"):
            classify = batch.judges[label].classes
            assert classify is not None
            read = classify(batch.images, batch.classes)
            shown = [name if known else None for name, known in zip(read, true, strict=True)]
            columns[label_figure("class_read", label)] = shown
        return columns

    def metrics(self, protocol: Protocol) -> list[str]:
        return [label_figure("class_accuracy", label) for label in protocol.find_labels("classes")]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        found: dict[str, Draws] = {}
        for label in row.protocol.find_labels("classes"):
            right = row.frame[label_figure("class_read", label)] == row.frame[TRUE]
            known = np.where(row.frame[TRUE].isna(), np.nan, right)
            found |= row.mean_of_known(label_figure("class_accuracy", label), known.astype(np.float64))
        return found
