"""From the samples table to the figures of each row; needs nothing else but the judge's statistics."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from lepbench.config import Config
from lepbench.evaluation.judges import JudgeStatistics
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.samples import OK
from lepbench.metrics.clip import skill_of_means
from lepbench.metrics.edges import EdgeCounts, precision_recall_f1
from lepbench.metrics.faithful import faithful_of_means
from lepbench.metrics.frechet import FeatureStatistics, frechet_distance
from lepbench.metrics.kid import Reference, kid, kid_draws
from lepbench.metrics.masks import MaskCounts, intersection_over_union
from lepbench.metrics.statistics import Draws, Interval, bootstrap, first_mean

SUBSAMPLED_FROM = 4
"""Fewest items that can be subsampled for an interval."""

UNKNOWN = np.array([math.nan])
"""The resamples of a figure that has none."""

LOWER_IS_BETTER = ("kid", "frechet_distance")

Scores = NDArray[np.float64]


class Figure(Config):
    """A figure with the ends of its interval; null where it is not defined or not published."""

    value: float | None
    low: float | None = None
    high: float | None = None


Figures = dict[str, Figure]


def metric_names(protocol: Protocol) -> list[str]:
    """Every metric of a row, in the order of the tables."""
    edges = [f"edge_{kind}_{t}px" for kind in ("f1", "precision", "recall") for t in protocol.tolerances]
    return [
        "faithful_f1",
        *edges,
        f"edge_f1_{protocol.contour_tolerance}px_contour",
        *("mask_iou", "clip_similarity", "clip_skill", "kid", "frechet_distance"),
    ]


def summarise(samples: pa.Table, statistics: JudgeStatistics, protocol: Protocol) -> dict[str, Figures]:
    """The figures of every row of a samples table; samples that failed are left out, and counted elsewhere.

    Args:
        samples: as `samples.schema_of` says; needs the row `real` for `clip_skill` and `faithful_f1`.
        statistics: the judge's features of true pictures.
    """
    return {
        row: _figures(found, protocol)
        for row, found in draws_of_rows(samples.to_pandas(), statistics, protocol).items()
    }


def draws_of_rows(
    samples: pd.DataFrame,
    statistics: JudgeStatistics,
    protocol: Protocol,
    rows: Sequence[str] | None = None,
) -> dict[str, dict[str, Draws]]:
    """Every row's figures with their resamples; a figure that is not defined or not published is absent.

    Runs of one suite, number of samples and protocol saw the same resamples of items, as far as none failed.

    Args:
        rows: those wanted; None for all there are.
    """
    good = samples[samples["status"] == OK]
    real = good[good["row"] == "real"].set_index("item_id")
    return {
        row: _Summary(good[good["row"] == row], real, protocol).draws(statistics)
        for row in samples["row"].unique()
        if rows is None or row in rows
    }


def _figures(found: dict[str, Draws], protocol: Protocol) -> Figures:
    return {
        name: _figure(found[name].interval(protocol.confidence)) if name in found else Figure(value=None)
        for name in metric_names(protocol)
    }


class _Summary:
    """One row's samples, and the figures made of them."""

    def __init__(self, frame: pd.DataFrame, real: pd.DataFrame, protocol: Protocol) -> None:
        self.frame = frame
        self.items = frame["item_id"].to_numpy()
        self.real = real
        self.protocol = protocol

    def draws(self, statistics: JudgeStatistics) -> dict[str, Draws]:
        if self.frame.empty:
            return {}
        return {
            **self._edges(),
            **self._contours(),
            "mask_iou": self._mean(self._overlap()),
            "clip_similarity": self._mean(self._numbers("clip_similarity")),
            **self._skill(),
            **self._distances(statistics),
        }

    def _edges(self) -> dict[str, Draws]:
        tolerances = self.protocol.tolerances
        scores = precision_recall_f1(self._counts("edge", tolerances))
        return {
            f"edge_{kind}_{tolerance}px": self._mean(getattr(scores, kind)[:, column])
            for kind in ("f1", "precision", "recall")
            for column, tolerance in enumerate(tolerances)
        }

    def _contours(self) -> dict[str, Draws]:
        tolerance = self.protocol.contour_tolerance
        scores = precision_recall_f1(self._counts("contour", (tolerance,)))
        return {f"edge_f1_{tolerance}px_contour": self._mean(scores.f1[:, 0])}

    def _counts(self, map_name: str, tolerances: tuple[int, ...]) -> EdgeCounts:
        def columns(names: list[str]) -> NDArray[np.int64]:
            return self.frame[names].to_numpy(dtype=np.int64)

        return EdgeCounts(
            matched_predicted=columns([f"{map_name}_matched_predicted_{t}px" for t in tolerances]),
            predicted=columns([f"{map_name}_predicted"] * len(tolerances)),
            matched_target=columns([f"{map_name}_matched_target_{t}px" for t in tolerances]),
            target=columns([f"{map_name}_target"] * len(tolerances)),
        )

    def _overlap(self) -> Scores:
        columns = self.frame[["mask_intersection", "mask_union"]].to_numpy(dtype=np.int64)
        return intersection_over_union(MaskCounts(*columns.T))

    def _skill(self) -> dict[str, Draws]:
        known = self.real.reindex(self.items)
        columns = [self._numbers("clip_similarity")]
        columns += [known[name].to_numpy(np.float64) for name in ("clip_wrong_similarity", "clip_similarity")]
        table = np.stack(columns, axis=1)
        there = np.isfinite(table).all(axis=1)
        if not there.any():
            return {}
        table, items = table[there], self.items[there]
        edges = precision_recall_f1(self._counts("edge", (self.protocol.headline_tolerance,))).f1[there]
        both = np.concatenate([edges, table], axis=1)
        return {
            "clip_skill": self._bootstrap(table, items, skill_of_means),
            "faithful_f1": self._bootstrap(both, items, faithful_of_means),
        }

    def _distances(self, statistics: JudgeStatistics) -> dict[str, Draws]:
        features = np.stack(self.frame["judge_features"].to_list()).astype(np.float64)
        found = self._kid(features, statistics.known)
        if len(features) >= self.protocol.frechet_from:
            distance = frechet_distance(FeatureStatistics.of(features), statistics.moments)
            found["frechet_distance"] = Draws(distance, UNKNOWN)
        return found

    def _kid(self, features: Scores, known: Reference) -> dict[str, Draws]:
        items = len(set(self.items))
        if items < 2:
            return {}
        if items < SUBSAMPLED_FROM:
            return {"kid": Draws(kid(features, known, self.items), UNKNOWN)}
        rules = self.protocol
        drawn = kid_draws(
            features,
            known,
            self.items,
            seed=rules.interval_seed,
            repeats=rules.kid_subsamples,
            fraction=rules.kid_fraction,
        )
        return {"kid": drawn}

    def _mean(self, values: Scores) -> Draws:
        return self._bootstrap(values, self.items)

    def _bootstrap(
        self, values: Scores, items: NDArray[Any], statistic: Callable[[Scores], Scores] = first_mean
    ) -> Draws:
        rules = self.protocol
        return bootstrap(
            values, items, seed=rules.interval_seed, statistic=statistic, resamples=rules.resamples
        )

    def _numbers(self, column: str) -> Scores:
        return self.frame[column].to_numpy(dtype=np.float64)


def _figure(interval: Interval) -> Figure:
    value, low, high = (number if math.isfinite(number) else None for number in interval)
    return Figure(value=value, low=low, high=high)
