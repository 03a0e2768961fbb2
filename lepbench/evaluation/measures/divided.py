"""Figures of single samples, from the counts that `samples.parquet` holds."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lepbench.evaluation.figure_names import strip_label
from lepbench.evaluation.sample import OK
from lepbench.metrics.edges import EdgeCounts, precision_recall_f1
from lepbench.metrics.masks import MaskCounts, intersection_over_union

MATCHED = re.compile(r"(?P<kind>\w+)_matched_predicted_(?P<label>.+)")
"""Columns that name a kind of edge counts and a tolerance."""


def divide_counts(frame: pd.DataFrame) -> pd.DataFrame:
    """The samples with the figures of each, under the names that a record gives to their means.

    Of edges those are `KIND_f1_TOLERANCE`, `.._precision_..` and `.._recall_..`, for contours
    `edge_f1_TOLERANCE_contour` and so on; of masks `mask_iou@JUDGE`; of classes `class_accuracy@JUDGE`, 0
    or 1.

    Args:
        frame: columns as in `samples.parquet`; a sample that failed has NaN.
    """
    good = frame["status"] == OK
    divided = _divide_edges(frame, good)
    for end in _find_ends(frame, "mask_union"):
        masks = (_read_counts(frame.loc[good, f"mask_{part}{end}"]) for part in ("intersection", "union"))
        divided[f"mask_iou{end}"] = pd.Series(intersection_over_union(MaskCounts(*masks)), frame.index[good])
    for end in _find_ends(frame, "class_read"):
        right = (frame[f"class_read{end}"] == frame["class_true"]).astype(float)
        divided[f"class_accuracy{end}"] = right.where(good & frame["class_true"].notna(), np.nan)
    return pd.concat([frame, pd.DataFrame(divided, index=frame.index)], axis=1)


def _read_counts(counts: pd.Series[Any]) -> NDArray[np.int64]:
    """Whole numbers, of which none is missing: a cast of NaN would give one."""
    return np.asarray(counts.astype("int64"), np.int64)


def _find_ends(frame: pd.DataFrame, name: str) -> list[str]:
    """What follows a column's name: @ and the label of each judge, or nothing in records of 0.1.0."""
    return [str(column)[len(name) :] for column in frame.columns if strip_label(str(column)) == name]


def _divide_edges(frame: pd.DataFrame, good: pd.Series[bool]) -> dict[str, pd.Series[Any]]:
    divided: dict[str, pd.Series[Any]] = {}
    for match in filter(None, map(MATCHED.fullmatch, frame.columns)):
        kind, label = match["kind"], match["label"]
        names = (f"matched_predicted_{label}", "predicted", f"matched_target_{label}", "target")
        counts = EdgeCounts(*(_read_counts(frame.loc[good, f"{kind}_{name}"]) for name in names))
        for figure, values in precision_recall_f1(counts)._asdict().items():
            # Contours are matched by a measure of their own, whose figures are named after the edges'.
            name = f"edge_{figure}_{label}_contour" if kind == "contour" else f"{kind}_{figure}_{label}"
            divided[name] = pd.Series(values, frame.index[good])
    return divided
