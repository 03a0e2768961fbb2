"""The headline metrics: alignment times the clipped CLIP skill."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
import pyarrow as pa

from lepbench.evaluation.measures.base import (
    MEASURES,
    Columns,
    ConditionSamples,
    Measure,
    Scores,
    ScoringBatch,
    name_count_columns,
)
from lepbench.evaluation.measures.captions import build_skill_table, name_similarities
from lepbench.evaluation.measures.masks import match_masks, name_masks
from lepbench.evaluation.protocol import Protocol
from lepbench.judges import Ability
from lepbench.metrics.edges import precision_recall_f1
from lepbench.metrics.faithful import faithful_of_means
from lepbench.metrics.statistics import Draws
from lepbench.suites import Truth


class _Faithful(Measure):
    """One alignment figure times `clip_skill` by the protocol's first judge of captions.

    It needs the columns of `captions` and of the alignment.
    """

    truths: ClassVar[tuple[Truth, ...]] = ("picture",)
    abilities: ClassVar[tuple[Ability, ...]] = ("captions",)
    name: ClassVar[str]

    @abstractmethod
    def alignment(self, protocol: Protocol) -> list[str]:
        """The columns that `aligned` reads."""

    @abstractmethod
    def aligned(self, row: ConditionSamples) -> Scores:
        """Alignment of each sample, [N] in [0, 1]."""

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return {}

    def count(self, batch: ScoringBatch) -> Columns:
        return {}

    def reads(self, protocol: Protocol) -> list[str]:
        return [*name_similarities(protocol.find_labels("captions")[0]), *self.alignment(protocol)]

    def metrics(self, protocol: Protocol) -> list[str]:
        return [self.name]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        table, there = build_skill_table(row, row.protocol.find_labels("captions")[0])
        if not there.any():
            return {}
        both = np.column_stack([self.aligned(row), table])[there]
        return {self.name: row.bootstrap(both, row.items[there], faithful_of_means)}


@MEASURES.register("faithful_f1")
class FaithfulF1(_Faithful):
    """Edge F1 at the headline tolerance times the share of the caption kept."""

    truths = ("picture", "edges")

    name = "faithful_f1"

    def alignment(self, protocol: Protocol) -> list[str]:
        return name_count_columns("edge", [f"{protocol.headline_tolerance}px"])

    def aligned(self, row: ConditionSamples) -> Scores:
        label = f"{row.protocol.headline_tolerance}px"
        return precision_recall_f1(row.edge_counts("edge", [label])).f1[:, 0]


@MEASURES.register("faithful_paired")
class FaithfulPaired(_Faithful):
    """One-to-one F1 at the headline tolerance times the share of the caption kept."""

    truths = ("picture", "edges")
    name = "faithful_paired_f1"

    def alignment(self, protocol: Protocol) -> list[str]:
        return name_count_columns("paired", [f"{protocol.headline_tolerance}px"])

    def aligned(self, row: ConditionSamples) -> Scores:
        label = f"{row.protocol.headline_tolerance}px"
        return precision_recall_f1(row.edge_counts("paired", [label])).f1[:, 0]


@MEASURES.register("faithful_iou")
class FaithfulIoU(_Faithful):
    """Mask overlap times the share of the caption kept: for sketches whose lines need not be edges."""

    truths = ("picture", "mask")
    abilities = ("captions", "masks")

    name = "faithful_iou"

    def alignment(self, protocol: Protocol) -> list[str]:
        return name_masks(protocol.find_labels("masks")[0])

    def aligned(self, row: ConditionSamples) -> Scores:
        return match_masks(row, row.protocol.find_labels("masks")[0])
