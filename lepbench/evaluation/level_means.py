"""A figure of a record by the level of the items, of suites whose protocol gives none by level, too."""

from __future__ import annotations

from lepbench.evaluation.conditions import MODEL
from lepbench.evaluation.figures import Figure
from lepbench.evaluation.record import Record
from lepbench.metrics.statistics import bootstrap
from lepbench.suites import Suite
from lepbench.suites.levels import order_levels, read_levels


def measure_levels(record: Record, suite: Suite, metric: str) -> dict[str, Figure]:
    """The mean of a figure of the model's samples at each level, with its bootstrap interval over items.

    Each level is resampled by itself: its items need not be those of the others, as those of variants are.

    Args:
        metric: a figure of single samples.
    """
    levels, terms = read_levels(suite), record.protocol
    samples = record.samples()
    samples = samples[(samples["row"] == MODEL.name) & samples[metric].notna()]
    found = {}
    for level in order_levels(suite, {levels[item] for item in samples["item_id"] if item in levels}):
        part = samples[samples["item_id"].map(levels) == level]
        # Variants of an item are one observation, as in the figures of the record.
        clusters = part["original" if "original" in part else "item_id"]
        draws = bootstrap(part[metric], clusters, resamples=terms.resamples, seed=terms.interval_seed)
        value, low, high = draws.interval(terms.confidence)
        found[level] = Figure(value=value, low=low, high=high, n=len(part))
    return found
