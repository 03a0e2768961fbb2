"""IoU of segmented and true object masks."""

from __future__ import annotations

import pyarrow as pa
import torch

from lepbench.evaluation.figure_names import label_figure
from lepbench.evaluation.measures.base import (
    MEASURES,
    Columns,
    ConditionSamples,
    Measure,
    Scores,
    ScoringBatch,
    stack_maps,
    type_integers,
)
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.masks import MaskCounts, intersection_over_union, mask_counts
from lepbench.metrics.statistics import Draws

NAMES = ("mask_intersection", "mask_union")


@MEASURES.register("masks")
class Masks(Measure):
    """Overlap of the objects that a segmenter finds with the true ones."""

    truths = ("mask",)
    abilities = ("masks",)

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return type_integers([name for label in protocol.find_labels("masks") for name in name_masks(label)])

    @torch.no_grad()
    def count(self, batch: ScoringBatch) -> Columns:
        true = stack_maps([item.mask for item in batch.truths])
        columns: Columns = {}
        for label in batch.protocol.find_labels("masks"):
            segment = batch.judges[label].masks
            assert segment is not None
            counts = mask_counts(segment(batch.images).cpu(), true)
            values = (counts.intersection.tolist(), counts.union.tolist())
            columns |= dict(zip(name_masks(label), values, strict=True))
        return columns

    def metrics(self, protocol: Protocol) -> list[str]:
        return [label_figure("mask_iou", label) for label in protocol.find_labels("masks")]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        labels = row.protocol.find_labels("masks")
        return {label_figure("mask_iou", label): row.mean(match_masks(row, label)) for label in labels}


def name_masks(label: str) -> list[str]:
    """The columns of a judge's masks."""
    return [label_figure(name, label) for name in NAMES]


def match_masks(row: ConditionSamples, label: str) -> Scores:
    """Each sample's intersection over union by a judge, [N]."""
    return intersection_over_union(MaskCounts(*row.counts(name_masks(label)).T))
