"""Base class of measures: columns counted per image, and metrics computed from the columns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor

from lepbench.detectors import Detector, apply_detector
from lepbench.errors import LepbenchError
from lepbench.evaluation.directions import declare_figures
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.sample import Sample
from lepbench.judges import Ability, Judges, JudgeStatistics
from lepbench.metrics.edges import EdgeCounts
from lepbench.metrics.statistics import Draws, bootstrap, first_mean
from lepbench.registry import Registry
from lepbench.submitted import explain_faults
from lepbench.suites import Item, Truth

Scores = NDArray[np.float64]
Features = NDArray[np.float32]
Embed = Callable[[Tensor], Tensor]
"""Pictures [B, 3, H, W] in [0, 1] to features [B, D]."""
Columns = dict[str, list[Any]]
"""Name to one value per image, None where it is not defined."""


@dataclass(frozen=True, eq=False)
class ScoringBatch:
    """Images of one batch, and the ground truth they are compared with.

    Attributes:
        images: float [B, 3, H, W] in [0, 1].
        samples: the sample of each image, with its item's and its rival's caption.
        truths: the items whose sketch, contours and mask each is compared with.
    """

    images: Tensor
    samples: Sequence[Sample]
    truths: Sequence[Item]
    judges: Judges
    protocol: Protocol

    @cached_property
    def edges(self) -> Tensor:
        """The pictures' edges by the protocol's detector, bool [B, H, W]."""
        return self.detect(self.protocol.detector)

    def detect(self, detector: Detector) -> Tensor:
        """The pictures' edges by any detector, bool [B, H, W]."""
        height, width = self.sketches.shape[1:]
        with explain_faults(f"detector {detector.name!r}", detector):
            return apply_detector(detector, self.images, (height, width))

    @cached_property
    def sketches(self) -> Tensor:
        """The truths' sketches, bool [B, H, W]."""
        return stack_maps([item.sketch for item in self.truths])

    @cached_property
    def classes(self) -> list[str]:
        """Every class that the suite has, sorted."""
        return self.samples[0].suite.classes

    def embed(self, network: Embed, label: str) -> Tensor:
        """A judge's features of the pictures, float32 [B, D], computed once.

        Raises:
            LepbenchError: one is not finite.
        """
        if network not in self._embedded:
            with torch.no_grad():
                self._embedded[network] = require_finite(network(self.images), label)
        return self._embedded[network]

    @cached_property
    def _embedded(self) -> dict[Embed, Tensor]:
        return {}


class ConditionSamples:
    """The successful samples of one condition, and resampling of their metrics.

    Attributes:
        frame: one row per sample, columns as in `samples.parquet`.
        items: the item of each line, [N].
        originals: what is resampled together, [N]: the item that a variant is of, or the item itself.
        real: the rows of the condition `real`, indexed by item.
        features: float32 [N, D] of each judge that gives some, by label.
        references: features of real pictures that sets are compared with, by label; none for pictures that
            are the reference themselves.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        real: pd.DataFrame,
        protocol: Protocol,
        *,
        features: Mapping[str, Features] | None = None,
        references: Mapping[str, JudgeStatistics] | None = None,
    ) -> None:
        self.frame = frame
        self.items = frame["item_id"].to_numpy()
        self.originals = frame["original" if "original" in frame else "item_id"].to_numpy()
        self.real = real
        self.protocol = protocol
        self.features = features or {}
        self.references = references or {}

    def numbers(self, column: str) -> Scores:
        """A column as float64 [N], NaN where it is not defined."""
        return self.frame[column].to_numpy(dtype=np.float64)

    def counts(self, columns: Sequence[str]) -> NDArray[np.int64]:
        """Columns of counts, int64 [N, K]."""
        return self.frame[list(columns)].to_numpy(dtype=np.int64)

    def edge_counts(self, kind: str, labels: Sequence[str]) -> EdgeCounts:
        """The counts that `name_count_columns` named."""
        return EdgeCounts(
            matched_predicted=self.counts([f"{kind}_matched_predicted_{label}" for label in labels]),
            predicted=self.counts([f"{kind}_predicted"] * len(labels)),
            matched_target=self.counts([f"{kind}_matched_target_{label}" for label in labels]),
            target=self.counts([f"{kind}_target"] * len(labels)),
        )

    def mean(self, values: Scores) -> Draws:
        """The mean [N] over samples, resampled by item."""
        return self.bootstrap(values, self.items)

    def mean_of_known(self, name: str, values: Scores) -> dict[str, Draws]:
        """`mean` over the samples where the figure is defined, under `name`; nothing where it is nowhere."""
        known = np.isfinite(values)
        return {name: self.bootstrap(values[known], self.items[known])} if known.any() else {}

    def means_of_columns(self, names: Sequence[str]) -> dict[str, Draws]:
        """`mean_of_known` of columns that are figures themselves, under their names."""
        found: dict[str, Draws] = {}
        for name in names:
            found |= self.mean_of_known(name, self.numbers(name))
        return found

    def bootstrap(
        self, values: Scores, items: NDArray[Any], statistic: Callable[[Scores], Scores] = first_mean
    ) -> Draws:
        """A statistic of column means, resampled by item under the protocol's seed.

        Variants of one item are resampled together: they share its noise, and most of its difficulty.
        """
        rules = self.protocol
        clusters = np.array([self._original_of.get(item, item) for item in items])
        return bootstrap(
            values, clusters, seed=rules.interval_seed, statistic=statistic, resamples=rules.resamples
        )

    @cached_property
    def _original_of(self) -> dict[Any, Any]:
        """What each item is a variant of."""
        return dict(zip(self.items, self.originals, strict=True))


class Measure(ABC):
    """A group of metrics with common columns; stateless.

    Attributes:
        lower_is_better: those of its metrics that are better when small; without the @ and label of a judge.
        neither_is_better: those of which neither side is better; likewise, and without a tolerance.
        of_sets: those of its metrics that depend on the number of samples; likewise.
        truths: what a suite must know of its items for it.
        abilities: what judges must be able to do for it.
    """

    lower_is_better: ClassVar[tuple[str, ...]] = ()
    neither_is_better: ClassVar[tuple[str, ...]] = ()
    of_sets: ClassVar[tuple[str, ...]] = ()
    truths: ClassVar[tuple[Truth, ...]] = ()
    abilities: ClassVar[tuple[Ability, ...]] = ()

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        declare_figures(cls.lower_is_better, cls.neither_is_better, cls.of_sets)

    def find_truths(self, protocol: Protocol) -> tuple[Truth, ...]:
        """`truths`, unless they depend on terms of the protocol."""
        return self.truths

    @abstractmethod
    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        """The columns of `samples.parquet` that it fills."""

    @abstractmethod
    def count(self, batch: ScoringBatch) -> Columns:
        """Those columns of a batch; the values of one image must not depend on the others."""

    def reads(self, protocol: Protocol) -> list[str]:
        """Columns of other measures that its figures are made of."""
        return []

    @abstractmethod
    def metrics(self, protocol: Protocol) -> list[str]:
        """Names of its figures, in the order of the tables."""

    @abstractmethod
    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        """Its figures with their resamples; one that is not defined or not published is absent."""


MEASURES: Registry[type[Measure]] = Registry("measure", Measure)


def select_measures(protocol: Protocol) -> list[Measure]:
    """The measures that a protocol names, in its order.

    Raises:
        LepbenchError: one is unknown here, or is from outside and cannot be made.
    """
    return [make_measure(name) for name in protocol.measures]


def list_read_abilities(protocol: Protocol) -> set[Ability]:
    """What judges must be able to do for the measures that a protocol names."""
    return {ability for measure in select_measures(protocol) for ability in measure.abilities}


def make_measure(name: str) -> Measure:
    """The measure of a name.

    Raises:
        LepbenchError: see `select_measures`.
    """
    kind = MEASURES.get(name)
    with explain_faults(f"measure {kind.__name__!r}", kind, fix="let it be made without arguments"):
        return kind()


def name_count_columns(kind: str, labels: Sequence[str]) -> list[str]:
    """Columns of edge pixels of one kind: all of each map, and those matched at each tolerance."""
    matched = [f"{kind}_matched_{side}_{label}" for label in labels for side in ("predicted", "target")]
    return [f"{kind}_predicted", f"{kind}_target", *matched]


def name_counts(kind: str, labels: Sequence[str], counts: EdgeCounts) -> Columns:
    """Counts under the names of `name_count_columns`."""
    matched = np.stack([counts.matched_predicted, counts.matched_target], axis=2).reshape(
        len(counts.target), -1
    )
    values = [counts.predicted[:, 0], counts.target[:, 0], *matched.T]
    return {name: v.tolist() for name, v in zip(name_count_columns(kind, labels), values, strict=True)}


def type_integers(names: Sequence[str]) -> dict[str, pa.DataType]:
    """Columns of counts."""
    return dict.fromkeys(names, pa.int32())


def stack_maps(maps: Sequence[NDArray | None]) -> Tensor:
    """Maps of one size as a batch.

    Raises:
        LepbenchError: one is not known; a measure of such maps names them among its `truths`.
    """
    known = [one for one in maps if one is not None]
    if len(known) < len(maps):
        raise LepbenchError(
            f"{len(maps) - len(known)} of {len(maps)} items lack a map or picture that is measured",
            "name measures that the suite allows, or take another suite",
        )
    return torch.from_numpy(np.stack(known))


def require_finite(features: Tensor, label: str) -> Tensor:
    """Features of a judge on the CPU, float32 [B, D].

    Raises:
        LepbenchError: one is not finite.
    """
    found = features.float().cpu()
    if not bool(torch.isfinite(found).all()):
        raise LepbenchError(f"judge {label!r} gives features that are not finite", "check its weights")
    return found
