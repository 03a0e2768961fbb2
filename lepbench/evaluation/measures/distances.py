"""Distances between the distributions of generated and real images."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa

from lepbench.evaluation.measures.base import (
    MEASURES,
    Columns,
    ConditionSamples,
    Measure,
    Scores,
    ScoringBatch,
)
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.frechet import FeatureStatistics, frechet_distance
from lepbench.metrics.kid import kid, kid_draws
from lepbench.metrics.statistics import Draws

SUBSAMPLED_FROM = 4
"""Fewest items that can be subsampled for an interval."""

UNKNOWN = np.array([math.nan])
"""The resamples of a figure that has none."""


@MEASURES.register("distances")
class Distances(Measure):
    """KID and, of enough samples, Frechet distance to the judge's features of true pictures."""

    lower_is_better = ("kid", "frechet_distance")
    of_sets = ("kid", "frechet_distance")

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return {"judge_features": pa.list_(pa.float32())}

    def count(self, batch: ScoringBatch) -> Columns:
        return {"judge_features": batch.features.float().cpu().tolist()}

    def metrics(self, protocol: Protocol) -> list[str]:
        return ["kid", "frechet_distance"]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        features = np.stack(row.frame["judge_features"].to_list()).astype(np.float64)
        found = _kid(features, row)
        if len(features) >= row.protocol.frechet_from:
            distance = frechet_distance(FeatureStatistics.of(features), row.statistics.moments)
            found["frechet_distance"] = Draws(distance, UNKNOWN)
        return found


def _kid(features: Scores, row: ConditionSamples) -> dict[str, Draws]:
    items, known, rules = len(set(row.items)), row.statistics.known, row.protocol
    if items < 2:
        return {}
    if items < SUBSAMPLED_FROM:
        return {"kid": Draws(kid(features, known, row.items), UNKNOWN)}
    drawn = kid_draws(
        features,
        known,
        row.items,
        seed=rules.interval_seed,
        repeats=rules.kid_subsamples,
        fraction=rules.kid_fraction,
    )
    return {"kid": drawn}
