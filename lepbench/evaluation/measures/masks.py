"""IoU of segmented and true object masks."""

from __future__ import annotations

import pyarrow as pa
import torch

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
    """Overlap of the objects that the segmenter finds with the true ones."""

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return type_integers(NAMES)

    @torch.no_grad()
    def count(self, batch: ScoringBatch) -> Columns:
        true = stack_maps([item.mask for item in batch.truths])
        counts = mask_counts(batch.judges.segmenter(batch.images), true)
        return {"mask_intersection": counts.intersection.tolist(), "mask_union": counts.union.tolist()}

    def metrics(self, protocol: Protocol) -> list[str]:
        return ["mask_iou"]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        return {"mask_iou": row.mean(match_masks(row))}


def match_masks(row: ConditionSamples) -> Scores:
    """Each sample's intersection over union, [N]."""
    return intersection_over_union(MaskCounts(*row.counts(NAMES).T))
