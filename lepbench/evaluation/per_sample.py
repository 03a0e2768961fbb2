"""The samples that are worst by a figure."""

from __future__ import annotations

import re
from collections.abc import Collection
from difflib import get_close_matches

import pandas as pd

from lepbench.errors import LepbenchError
from lepbench.evaluation.directions import find_direction
from lepbench.evaluation.figure_names import strip_label
from lepbench.evaluation.figures import find_main, place_in_main
from lepbench.registry import suggest_name

COUNTS = re.compile(r"sample_index|seed|\w+_(predicted|target)(_.+)?|mask_(intersection|union)(@.+)?")
"""Columns of numbers that are no figures."""


def sort_samples(
    frame: pd.DataFrame, metric: str, n: int, condition: str, of_sets: Collection[str] = ()
) -> pd.DataFrame:
    """The `n` samples of a condition that are worst by a figure, the worst first.

    Args:
        of_sets: metrics of all samples together, which may be asked for in error.

    Raises:
        LepbenchError: there is no such figure or condition, neither side of the figure is better, or `n` is
            below 1.
    """
    if condition not in set(frame["row"]):
        raise LepbenchError(f"no condition {condition!r}", suggest_name(condition, set(frame["row"])))
    if n < 1:
        raise LepbenchError(f"n={n} asks for no sample", "give 1 or more")
    numbers = [str(column) for column in frame.select_dtypes("number").columns]
    if metric not in numbers:
        figures = [name for name in numbers if not COUNTS.fullmatch(name)]
        raise LepbenchError(*_explain_missing(metric, figures, of_sets))
    direction = find_direction(metric)
    if direction == "none":
        raise LepbenchError(
            f"no sample is worst by {metric!r}: neither side of it is better", "sort samples() yourself"
        )
    known = frame[(frame["row"] == condition) & frame[metric].notna()]
    ordered = known.sort_values(metric, ascending=direction == "higher", kind="stable")
    return ordered.head(n)


def _explain_missing(metric: str, figures: list[str], of_sets: Collection[str]) -> tuple[str, str]:
    """What is wrong, and what to write instead."""
    main_ones = [name for name in figures if find_main(strip_label(name))]
    shown = sorted(main_ones, key=place_in_main) or figures
    main = f"choose one of samples(): {', '.join(shown)} ..."
    if metric in of_sets:
        return f"{metric!r} is of all samples together", main
    alike = [name for name in figures if metric in name]
    if alike:
        return f"samples have no figure {metric!r}", f"choose one of: {', '.join(alike)}"
    close = get_close_matches(metric, figures, n=1)
    return f"samples have no figure {metric!r}", f"did you mean {close[0]!r}?" if close else main
