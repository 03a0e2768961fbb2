"""The trade-off of several runs between two figures: which are on its front, and the area of that."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lepbench.errors import LepbenchError
from lepbench.evaluation.directions import find_direction
from lepbench.evaluation.figure_names import AT, split_part, strip_label
from lepbench.metrics.front import find_front, measure_dominated_area

Range = tuple[float, float]
"""A figure's worst and best value."""

RANGES: tuple[tuple[str, Range], ...] = (
    (r"(edge|paired|pooled|faithful(_paired)?)_f1.*", (0.0, 1.0)),
    (r"edge_(precision|recall)_.*|(stroke|unseen)_recall_.*|strokes_found_.*", (0.0, 1.0)),
    (r"faithful_iou|mask_iou|soft_iou|ms_ssim|\w+_accuracy|coverage", (0.0, 1.0)),
    (r"clip_skill", (0.0, 1.0)),
    (r"clip_score", (0.0, 100.0)),
    (r"(clip|sketch)_similarity", (-1.0, 1.0)),
)
"""Figures with closed ends; `clip_skill` is 0 for a wrong caption and 1 for the real picture."""


def find_range(metric: str, given: Range | None = None) -> Range:
    """The worst and the best value of a figure: those that are given, or its closed ends.

    Raises:
        LepbenchError: it has none of its own or no better side, or those that are given do not run to better
            values.
    """
    stem, direction = strip_label(metric), find_direction(metric)
    figure, part = split_part(metric)
    # A slope or a change of a figure has other ends than the figure.
    if given is None and direction != "none" and (not part or part.startswith(AT)):
        given = next((ends for pattern, ends in RANGES if re.fullmatch(pattern, figure)), None)
    if given is None:
        lacking = "better side" if direction == "none" else "closed ends"
        proposed = [1, 0] if direction == "lower" else [0, 1]
        raise LepbenchError(
            f"{metric} has no {lacking} for the area of a front",
            f"state its worst and best value, as in 'box: {{{stem}: {proposed}}}'",
        )
    worst, best = given
    whole = bool(np.isfinite(best - worst)) and worst != best
    if direction == "none" and not whole:
        raise LepbenchError(f"box {list(given)} of {metric} has no area", "state two numbers that differ")
    if direction != "none" and (not whole or direction != ("higher" if best > worst else "lower")):
        raise LepbenchError(
            f"box {list(given)} of {metric} does not run to {direction} values, which are better",
            "write [worst, best]",
        )
    return given


@dataclass(frozen=True)
class Front:
    """Runs under two figures.

    Attributes:
        label: what they have in common.
        names: of the runs.
        points: their figures.
        kept: whether each is on the front: no other is at least as good in both figures and better in one.
        area: share of the box that the front dominates, in [0, 1].
    """

    label: str
    names: Sequence[str]
    points: Sequence[tuple[float, float]]
    kept: Sequence[bool]
    area: float

    @property
    def members(self) -> list[str]:
        """The runs on the front."""
        return [name for name, kept in zip(self.names, self.kept, strict=True) if kept]


def make_front(label: str, points: Mapping[str, tuple[float, float]], ranges: tuple[Range, Range]) -> Front:
    """The front of runs.

    Args:
        points: two figures of each run, by its name.
        ranges: worst and best value of both figures.
    """
    (first_worst, first_best), (second_worst, second_best) = ranges
    signs = np.sign([first_best - first_worst, second_best - second_worst])
    given = list(points.values())
    return Front(
        label,
        list(points),
        given,
        kept=[bool(kept) for kept in find_front(np.reshape(given, (-1, 2)) * signs)],
        area=measure_dominated_area(given, (first_worst, second_worst), (first_best, second_best)),
    )
