"""Figures of single samples by the level of their item."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lepbench.errors import LepbenchError
from lepbench.evaluation.conditions import MODEL
from lepbench.evaluation.measures.divided import divide_counts
from lepbench.evaluation.per_sample import COUNTS
from lepbench.evaluation.record import Record
from lepbench.evaluation.schema import make_schema
from lepbench.evaluation.summary import Figure
from lepbench.metrics.statistics import bootstrap
from lepbench.registry import suggest_name
from lepbench.run_sets.tasks import Task
from lepbench.suites import Suite

NAMED = re.compile(r"-level(\w+)$")
"""How the names of sketchworld's free-hand items end, which were frozen before items had a level."""


def read_levels(suite: Suite) -> dict[str, str]:
    """The level of every item that has one, by its `item_id`."""
    every = suite.take(len(suite))
    column = every.file.read_column("level")
    named = (NAMED.search(item_id) for item_id in every.ids)
    levels = [level or (match[1] if match else None) for level, match in zip(column, named, strict=True)]
    return {item_id: level for item_id, level in zip(every.ids, levels, strict=True) if level}


def list_sample_figures(task: Task) -> list[str]:
    """The figures that single samples of a task have."""
    empty = divide_counts(make_schema(task.protocol).empty_table().to_pandas())
    return [str(name) for name in empty.select_dtypes("number").columns if not COUNTS.fullmatch(str(name))]


def require_sample_figure(task: Task, metric: str) -> None:
    """Refuse a figure that is of all samples together.

    Raises:
        LepbenchError: it is.
    """
    figures = list_sample_figures(task)
    if metric not in figures:
        raise LepbenchError(
            f"{metric} is of all samples together and has no curve over 'level'",
            suggest_name(metric, figures),
        )


def measure_levels(task: Task, record: Record, metric: str) -> dict[str, Figure]:
    """The mean of a figure of the model's samples at each level, with its bootstrap interval over items."""
    levels = read_levels(task.suite)
    samples = record.samples()
    samples = samples[(samples["row"] == MODEL.name) & samples[metric].notna()]
    found = {}
    for level in order_levels(task.suite, {levels[item] for item in samples["item_id"] if item in levels}):
        part = samples[samples["item_id"].map(levels) == level]
        # Variants of an item are one observation, as in the figures of the record.
        clusters = part["original" if "original" in part else "item_id"]
        terms = task.protocol
        draws = bootstrap(part[metric], clusters, resamples=terms.resamples, seed=terms.interval_seed)
        value, low, high = draws.interval(task.protocol.confidence)
        found[level] = Figure(value=value, low=low, high=high, n=len(part))
    return found


def order_levels(suite: Suite, levels: set[str]) -> list[str]:
    """Levels in the order in which the suite names them, or else in their own."""
    declared = [level for level in suite.definition.levels if level in levels]
    return declared or sort_levels(levels)


def sort_levels(levels: set[str] | Sequence[str]) -> list[str]:
    """Levels in the order of their numbers, if they are numbers, or of their letters."""
    return sorted(
        set(levels), key=lambda level: (0, float(level), "") if _is_number(level) else (1, 0.0, level)
    )


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None
