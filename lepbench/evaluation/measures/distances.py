"""Distances between the distributions of generated and real images."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import pyarrow as pa

from lepbench.evaluation.directions import DISTANCES
from lepbench.evaluation.figure_names import label_figure
from lepbench.evaluation.measures.base import (
    MEASURES,
    Columns,
    ConditionSamples,
    Features,
    Measure,
    ScoringBatch,
)
from lepbench.evaluation.protocol import ITEMS, Protocol
from lepbench.judges import JudgeConfig, JudgeStatistics
from lepbench.metrics.cmmd import cmmd
from lepbench.metrics.frechet import FeatureStatistics, frechet_distance
from lepbench.metrics.kid import kid, kid_draws
from lepbench.metrics.statistics import Draws
from lepbench.suites import Truth

SUBSAMPLED_FROM = 4
"""Fewest items that can be subsampled for an interval."""

UNKNOWN = np.array([math.nan])
"""The resamples of a figure that has none."""


class OfFeatures(Measure):
    """What compares the features of pictures with those of real ones; it counts nothing of a picture alone.

    The features are kept in files of their own, one a condition and judge.
    """

    abilities = ("features",)
    figures: ClassVar[tuple[str, ...]]

    def find_truths(self, protocol: Protocol) -> tuple[Truth, ...]:
        """The real pictures, where they are the reference."""
        return ("picture",) if protocol.reference == ITEMS else ()

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return {}

    def count(self, batch: ScoringBatch) -> Columns:
        return {}


@MEASURES.register("distances")
class Distances(OfFeatures):
    """Frechet distance of enough samples, KID and, by CLIP-like judges, CMMD.

    The Frechet distance is `fid` by an Inception network and `fd` by others. Of several samples an item it is
    given a second time as the mean over the sample indices, the way of ControlNet++: `fid_by_index`.
    """

    lower_is_better = DISTANCES
    of_sets = DISTANCES

    def metrics(self, protocol: Protocol) -> list[str]:
        judges = protocol.find_judges("features")
        return [label_figure(name, judge.label) for judge in judges for name in list_distances(judge)]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        found: dict[str, Draws] = {}
        for judge in row.protocol.find_judges("features"):
            if judge.label in row.references:
                known = row.references[judge.label]
                figures = measure_distances(row.features[judge.label], known, row, judge)
                found |= {label_figure(name, judge.label): draws for name, draws in figures.items()}
        return found


def list_distances(judge: JudgeConfig) -> list[str]:
    """The distances by a judge, in the order of the tables."""
    frechet = judge.frechet
    return [frechet, f"{frechet}_by_index", "kid", *(["cmmd"] if judge.unit else [])]


def measure_distances(
    features: Features, known: JudgeStatistics, row: ConditionSamples, judge: JudgeConfig
) -> dict[str, Draws]:
    """The distances of features [N, D] to known ones, as far as they are defined for so many."""
    found = _measure_frechet(features, known, row, judge.frechet)
    found |= _measure_kid(features, known, row)
    if judge.unit and len(features) >= SUBSAMPLED_FROM:
        found["cmmd"] = Draws(cmmd(features, known.features), UNKNOWN)
    return found


def _measure_frechet(
    features: Features, known: JudgeStatistics, row: ConditionSamples, name: str
) -> dict[str, Draws]:
    least = row.protocol.frechet_from
    if len(features) < least or len(known.features) < 2:
        # Many samples of one item are enough, and its one real picture has no covariance.
        return {}
    found = {name: Draws(frechet_distance(FeatureStatistics.of(features), known.moments), UNKNOWN)}
    indices = row.frame["sample_index"].to_numpy()
    groups = [features[indices == index] for index in np.unique(indices)]
    if len(groups) > 1 and min(map(len, groups)) >= least:
        each = [frechet_distance(FeatureStatistics.of(group), known.moments) for group in groups]
        found[f"{name}_by_index"] = Draws(float(np.mean(each)), UNKNOWN)
    return found


def _measure_kid(features: Features, known: JudgeStatistics, row: ConditionSamples) -> dict[str, Draws]:
    items, rules, x = len(set(row.originals)), row.protocol, features.astype(np.float64)
    if items < 2:
        return {}
    if items < SUBSAMPLED_FROM:
        return {"kid": Draws(kid(x, known.known, row.originals), UNKNOWN)}
    drawn = kid_draws(
        x,
        known.known,
        row.originals,
        seed=rules.interval_seed,
        repeats=rules.kid_subsamples,
        fraction=rules.kid_fraction,
    )
    return {"kid": drawn}
