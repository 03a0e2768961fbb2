"""Figures of single samples, from the counts that `samples.parquet` holds."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from lepbench.errors import LepbenchError
from lepbench.evaluation.sample import OK
from lepbench.evaluation.summary import is_lower_better
from lepbench.metrics.edges import EdgeCounts, precision_recall_f1
from lepbench.registry import suggest_name

MATCHED = re.compile(r"(?P<kind>\w+)_matched_predicted_(?P<label>.+)")
"""Columns that name a kind of edge counts and a tolerance."""
KEYS = frozenset(("sample_index", "seed"))
"""Numbers that are no figures."""


def divide_counts(frame: pd.DataFrame) -> pd.DataFrame:
    """The samples with `KIND_f1_TOLERANCE`, `.._precision_..` and `.._recall_..` for their edge counts.

    Args:
        frame: columns as in `samples.parquet`; a sample that failed has NaN.
    """
    good = frame["status"] == OK
    divided: dict[str, pd.Series[Any]] = {}
    for match in filter(None, map(MATCHED.fullmatch, frame.columns)):
        kind, label = match["kind"], match["label"]
        names = (f"matched_predicted_{label}", "predicted", f"matched_target_{label}", "target")
        counts = EdgeCounts(*(frame.loc[good, f"{kind}_{name}"].to_numpy("int64") for name in names))
        for figure, values in precision_recall_f1(counts)._asdict().items():
            divided[f"{kind}_{figure}_{label}"] = pd.Series(values, frame.index[good])
    return pd.concat([frame, pd.DataFrame(divided, index=frame.index)], axis=1)


def sort_samples(frame: pd.DataFrame, metric: str, n: int, condition: str) -> pd.DataFrame:
    """The `n` samples of a condition that are worst by a figure, the worst first.

    Raises:
        LepbenchError: there is no such figure or condition.
    """
    if condition not in set(frame["row"]):
        raise LepbenchError(f"no condition {condition!r}", suggest_name(condition, set(frame["row"])))
    figures = [str(c) for c in frame.select_dtypes("number").columns if c not in KEYS]
    if metric not in figures:
        raise LepbenchError(f"samples have no figure {metric!r}", suggest_name(metric, figures))
    known = frame[(frame["row"] == condition) & frame[metric].notna()]
    ordered = known.sort_values(metric, ascending=not is_lower_better(metric), kind="stable")
    return ordered.head(n)
