"""From the samples table and the judges' features to the metrics of each condition."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

import pandas as pd
import pyarrow as pa

from lepbench.config import Config
from lepbench.evaluation.conditions import REAL
from lepbench.evaluation.features import RunFeatures, find_features
from lepbench.evaluation.measures import MEASURES, ConditionSamples, select_measures, strip_label
from lepbench.evaluation.measures.contract import draw_measure
from lepbench.evaluation.measures.levels import SINGLE, split_part
from lepbench.evaluation.measures.tolerances import split_tolerance
from lepbench.evaluation.protocol import ITEMS, Protocol
from lepbench.evaluation.sample import OK
from lepbench.judges import JudgeStatistics
from lepbench.metrics.statistics import Draws
from lepbench.submitted import is_ours

MAIN = {
    "faithful_f1": "faithful F1",
    "faithful_paired_f1": "faithful paired F1",
    "faithful_iou": "faithful IoU",
    "stroke_recall": "stroke recall",
    "unseen_recall": "unseen recall",
    "weighted_recall": "weighted recall",
    "others_recall": "others' recall",
    "weighted_lead": "weighted lead",
    "pooled_f1_0px": "pooled F1 0px",
    "edge_f1_1px": "edge F1 1px",
    "edge_f1_2px": "edge F1 2px",
    "paired_f1_2px": "paired F1 2px",
    "edge_f1_1px_contour": "contour F1 1px",
    "mask_iou": "mask IoU",
    "clip_score": "CLIP score",
    "clip_skill": "CLIP skill",
    "sketch_similarity": "sketch similarity",
    "class_accuracy": "class accuracy",
    "reads_sketch": "reads sketch",
    "reads_prompt": "reads prompt",
    "colour_accuracy": "colour accuracy",
    "texture_accuracy": "texture accuracy",
    "pattern_accuracy": "pattern accuracy",
    "background_accuracy": "background accuracy",
    "relation_accuracy": "relation accuracy",
    "fd": "FD",
    "kid": "KID",
    "cmmd": "CMMD",
    "fid": "FID",
    "fid_by_index": "FID by index",
}
"""The main metrics and their headings; a name without tolerance stands for those at each one. Each further
metric that is tested for differences lowers the power of the other tests."""
SHIPPED = "sketchworld-"
"""What the labels of the judges that ship begin with."""
LESSER = ("edge_f1_2px", "paired_f1_2px", "clip_score", "sketch_similarity")
"""Main metrics only where no masks of objects are measured, as on sketchworld, which say more."""


def is_of_sets(metric: str) -> bool:
    """Whether a metric depends on the number of samples, so that different numbers are not comparable."""
    return any(strip_label(metric) in measure.of_sets for measure in MEASURES.list_loaded())


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


def choose_main_metrics(figures: Iterable[str], submitted: Collection[str] = ()) -> dict[str, str]:
    """The metrics of `MAIN` among figures, then those that are `submitted`, with their headings.

    Of figures by level those of single levels are no main ones: they are many, and the others sum them up.
    """
    main = [name for name in figures if name in submitted or _is_main(*split_part(name))]
    masked = any(strip_label(name) == "mask_iou" for name in main)
    kept = [name for name in main if not (masked and strip_label(name) in LESSER)]
    return head_metrics(sorted(kept, key=place_in_main))


def head_metrics(names: Sequence[str]) -> dict[str, str]:
    """Headings of metrics, in their order, with the judge; without it where the only one is sketchworld's."""
    stems = [split_part(name) for name in names]
    headings = {}
    for name, stem in zip(names, stems, strict=True):
        label = name.partition("@")[2]
        shown = "" if label.startswith(SHIPPED) and stems.count(stem) == 1 else label
        figure, part = stem
        words = [_head_figure(figure), part.replace("_", " ", 1), shown]
        headings[name] = " ".join(word for word in words if word)
    return headings


def find_main(figure: str) -> str | None:
    """The name in `MAIN` of a figure without judge and level; None where it is no main one."""
    return next((name for name in (figure, split_tolerance(figure)[0]) if name in MAIN), None)


def _is_main(figure: str, part: str) -> bool:
    return find_main(figure) is not None and not part.startswith(SINGLE)


def _head_figure(figure: str) -> str:
    name = find_main(figure)
    if name is None:
        return figure
    return MAIN[name] if name == figure else f"{MAIN[name]} {split_tolerance(figure)[1]}"


def place_in_main(metric: str) -> int:
    """The place of a metric among the main ones; behind them where it is none."""
    name = find_main(split_part(metric)[0])
    return len(MAIN) if name is None else list(MAIN).index(name)


class Figure(Config):
    """A metric of `n` samples, and the bounds of its interval; null if undefined or not published."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int


Figures = dict[str, Figure]


def list_metrics(protocol: Protocol) -> list[str]:
    """Every metric of a condition, in the order of the tables."""
    return [name for measure in select_measures(protocol) for name in measure.metrics(protocol)]


def summarise_samples(
    samples: pa.Table,
    features: RunFeatures,
    references: Mapping[str, JudgeStatistics],
    protocol: Protocol,
) -> dict[str, Figures]:
    """The metrics of every condition of a samples table, without failed samples.

    Args:
        samples: with the columns of `make_schema`; the condition `real` is needed for `clip_skill`.
        features: of the pictures, by the judges.
        references: features of real pictures by the judge's label; none where the items' own are taken.
    """
    frame = number_pictures(samples.to_pandas())
    good = frame[frame["status"] == OK]["row"].value_counts()
    return {
        row: _figures(found, int(good.get(row, 0)), protocol)
        for row, found in resample_conditions(frame, features, references, protocol).items()
    }


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
    good = samples[samples["status"] == OK]
    real = good[good["row"] == REAL.name].set_index("item_id")
    known = _take_items(features) if protocol.reference == ITEMS else references
    return {
        row: _draws(
            ConditionSamples(
                frame := good[good["row"] == row],
                real,
                protocol,
                features={
                    label: matrix[frame["picture"].to_numpy()]
                    for label, matrix in find_features(features, row).items()
                },
                # Pictures are at no distance from themselves.
                references={} if row == REAL.name and protocol.reference == ITEMS else known,
            )
        )
        for row in samples["row"].unique()
        if rows is None or row in rows
    }


def _take_items(features: RunFeatures) -> dict[str, JudgeStatistics]:
    """The real pictures of the items as the reference."""
    return {label: JudgeStatistics(matrix) for label, matrix in features.get(REAL.name, {}).items()}


def _draws(row: ConditionSamples) -> dict[str, Draws]:
    if row.frame.empty:
        return {}
    figures = (draw_measure(measure, row) for measure in select_measures(row.protocol))
    return {name: draws for found in figures for name, draws in found.items()}


def _figures(found: dict[str, Draws], n: int, protocol: Protocol) -> Figures:
    return {name: _figure(found.get(name), n, protocol) for name in list_metrics(protocol)}


def _figure(found: Draws | None, n: int, protocol: Protocol) -> Figure:
    if found is None:
        return Figure(value=None, n=n)
    interval = found.interval(protocol.confidence)
    value, low, high = (number if math.isfinite(number) else None for number in interval)
    return Figure(value=value, low=low, high=high, n=n)
