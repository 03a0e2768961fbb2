"""From the samples table and the judges' features to the metrics of each condition."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lepbench.evaluation.conditions import REAL
from lepbench.evaluation.features import RunFeatures, find_features
from lepbench.evaluation.figures import Figure, Figures, choose_main_metrics
from lepbench.evaluation.measures import ConditionSamples, select_measures
from lepbench.evaluation.measures.contract import draw_measure
from lepbench.evaluation.protocol import ITEMS, Protocol
from lepbench.evaluation.sample import OK
from lepbench.judges import JudgeStatistics
from lepbench.metrics.statistics import Draws
from lepbench.on_demand import OnDemand
from lepbench.submitted import is_ours


def list_main_metrics(protocol: Protocol, figures: Iterable[str] | None = None) -> dict[str, str]:
    """The metrics of `MAIN`, then those of external measures, with their headings.

    Args:
        figures: the names to choose from: those of a record, which may be of an earlier version; None for all
            that the protocol gives.
    """
    submitted = {
        name
        for measure in select_measures(protocol)
        if not is_ours(measure)
        for name in measure.metrics(protocol)
    }
    return choose_main_metrics(list_metrics(protocol) if figures is None else figures, submitted)


def list_metrics(protocol: Protocol) -> list[str]:
    """Every metric of a condition, in the order of the tables."""
    return [name for measure in select_measures(protocol) for name in measure.metrics(protocol)]


def summarise_samples(
    samples: pa.Table,
    features: RunFeatures,
    references: Mapping[str, JudgeStatistics],
    protocol: Protocol,
) -> dict[str, Figures]:
    """The metrics of every condition of a samples table; see `summarise_conditions`."""
    rows = {row: samples.filter(pc.field("row") == row) for row in samples["row"].unique().to_pylist()}
    return summarise_conditions(rows, features, references, protocol)


def summarise_conditions(
    samples: Mapping[str, pa.Table],
    features: RunFeatures,
    references: Mapping[str, JudgeStatistics],
    protocol: Protocol,
) -> dict[str, Figures]:
    """The metrics of every condition, without failed samples.

    One condition is read at a time, beside the real pictures.

    Args:
        samples: of each condition by name, with the columns of `make_schema`; the condition `real` is needed
            for `clip_skill`.
        features: of the pictures, by the judges.
        references: features of real pictures by the judge's label; none where the items' own are taken.
    """
    real = _select_good(samples[REAL.name].to_pandas()) if REAL.name in samples else None
    known = _choose_references(features, references, protocol)
    summary = {}
    for row in samples:
        frame = _select_good(number_pictures(samples[row].to_pandas()))
        found = _draw_condition(row, frame, real, features=features, known=known, protocol=protocol)
        summary[row] = _figures(found, len(frame), protocol)
    return summary


def _select_good(frame: pd.DataFrame) -> pd.DataFrame:
    """The samples that were drawn."""
    return frame[frame["status"] == OK]


def number_pictures(samples: pd.DataFrame) -> pd.DataFrame:
    """The samples with a column `picture`: which of the condition's pictures and features is theirs."""
    good = samples["status"] == OK
    return samples.assign(picture=good.groupby(samples["row"]).cumsum() - 1)


def resample_conditions(
    samples: pd.DataFrame,
    features: RunFeatures,
    references: Mapping[str, JudgeStatistics],
    protocol: Protocol,
    *,
    rows: Sequence[str] | None = None,
) -> dict[str, dict[str, Draws]]:
    """The metrics of every condition with their resamples, without undefined or unpublished ones.

    Runs of one suite, number of samples and protocol use the same resamples of items, if none failed.

    Args:
        samples: as `number_pictures` gives them, or some of them.
        rows: names of conditions; None for all.
    """
    good = _select_good(samples)
    real = good[good["row"] == REAL.name]
    known = _choose_references(features, references, protocol)
    return {
        row: _draw_condition(
            row, good[good["row"] == row], real, features=features, known=known, protocol=protocol
        )
        for row in samples["row"].unique()
        if rows is None or row in rows
    }


def _choose_references(
    features: RunFeatures, references: Mapping[str, JudgeStatistics], protocol: Protocol
) -> Mapping[str, JudgeStatistics]:
    """What sets of pictures are compared with: those that are given, or the real pictures of the items."""
    if protocol.reference != ITEMS:
        return references
    return {label: JudgeStatistics(matrix) for label, matrix in features.get(REAL.name, {}).items()}


def _draw_condition(
    row: str,
    frame: pd.DataFrame,
    real: pd.DataFrame | None,
    *,
    features: RunFeatures,
    known: Mapping[str, JudgeStatistics],
    protocol: Protocol,
) -> dict[str, Draws]:
    """The metrics of the samples of one condition that were drawn.

    Args:
        frame: with the column `picture`.
        real: the real pictures that could be read; None where the run has none.
    """
    if frame.empty:
        return {}
    own, pictures = find_features(features, row), frame["picture"].to_numpy()
    samples = ConditionSamples(
        frame,
        (frame.iloc[:0] if real is None else real).set_index("item_id"),
        protocol,
        features=OnDemand(own, lambda label: own[label][pictures]),
        # Pictures are at no distance from themselves.
        references={} if row == REAL.name and protocol.reference == ITEMS else known,
    )
    figures = (draw_measure(measure, samples) for measure in select_measures(protocol))
    return {name: draws for found in figures for name, draws in found.items()}


def _figures(found: dict[str, Draws], n: int, protocol: Protocol) -> Figures:
    return {name: _figure(found.get(name), n, protocol) for name in list_metrics(protocol)}


def _figure(found: Draws | None, n: int, protocol: Protocol) -> Figure:
    if found is None:
        return Figure(value=None, n=n)
    interval = found.interval(protocol.confidence)
    value, low, high = (number if math.isfinite(number) else None for number in interval)
    return Figure(value=value, low=low, high=high, n=n)
