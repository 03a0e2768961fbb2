"""Figures by the level of a variant: what of a sample they are made of."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from lepbench.evaluation.figure_names import strip_label
from lepbench.evaluation.measures.base import (
    Columns,
    ConditionSamples,
    Measure,
    Scores,
    ScoringBatch,
    make_measure,
)
from lepbench.evaluation.measures.divided import divide_counts
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.statistics import Draws
from lepbench.suites import Truth


class ByLevel(Measure):
    """Figures of the samples of single levels; it counts nothing of a picture."""

    truths: ClassVar[tuple[Truth, ...]] = ("original",)

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return {}

    def count(self, batch: ScoringBatch) -> Columns:
        return {}

    def reads(self, protocol: Protocol) -> list[str]:
        return ["original", "level"] if protocol.by_level else []

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        figures = list_figures(row.protocol)
        if not figures:
            return {}
        divided = divide_counts(row.frame)
        found: dict[str, Draws] = {}
        for figure in (name for name in figures if name in divided):
            found |= self.draw_figure(row, figure, divided[figure].to_numpy(np.float64))
        return found

    @abstractmethod
    def draw_figure(self, row: ConditionSamples, figure: str, values: Scores) -> dict[str, Draws]:
        """What it makes of a figure's values of single samples, [N], NaN where it is not defined."""


def list_figures(protocol: Protocol) -> list[str]:
    """The figures of single samples that are given by level."""
    measures = [make_measure(name) for name in protocol.measures]
    names = [
        name for measure in measures if not isinstance(measure, ByLevel) for name in measure.metrics(protocol)
    ]
    return [name for name in names if {name, strip_label(name)} & set(protocol.by_level)]


def list_sample_figures(protocol: Protocol) -> list[str]:
    """The figures of a protocol that single samples have, and that may be given by level."""
    measures = [make_measure(name) for name in protocol.measures]
    names = [name for measure in measures for name in measure.columns(protocol)]
    # The names of the columns alone decide what can be divided.
    divided = divide_counts(pd.DataFrame(columns=["status", *names]))
    figures = [name for measure in measures for name in measure.metrics(protocol)]
    return [name for name in figures if name in divided]


def spread_levels(row: ConditionSamples, values: Scores, levels: Sequence[str]) -> Scores:
    """Columns whose means give the means of levels: [N] to [N, 2 L].

    The first L are the values at each level, 0 elsewhere, the others 1 where one is known.
    """
    at = row.frame["level"].to_numpy()[:, None] == np.array(levels, dtype=object)
    known = at & np.isfinite(values)[:, None]
    return np.concatenate([np.where(known, values[:, None], 0.0), known.astype(np.float64)], axis=1)


def divide_levels(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of levels from means of `spread_levels`, [..., 2 L] to [..., L]; NaN of one without values."""
    sums, shares = np.split(means, 2, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums / shares)
