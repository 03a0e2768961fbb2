"""Whether higher or lower values of a figure are better, or neither."""

from __future__ import annotations

from typing import Literal

from lepbench.evaluation.measures import MEASURES, strip_label
from lepbench.evaluation.measures.levels import SPREAD, split_part
from lepbench.evaluation.measures.tolerances import split_tolerance

Direction = Literal["higher", "lower", "none"]
ARROWS: dict[Direction, str] = {"higher": " ↑", "lower": " ↓", "none": ""}
SIGNS: dict[Direction, int] = {"higher": 1, "lower": -1, "none": 0}
"""What a difference is multiplied by, so that it is positive where the first figure is better."""


def find_direction(metric: str) -> Direction:
    """Which values of a metric are better, as the measures say of their figures.

    A figure by level has the direction of the figure that it is made of; a spread is better when small,
    unless that figure has no better side.
    """
    measures = MEASURES.list_loaded()
    lower = {name for measure in measures for name in measure.lower_is_better}
    neither = {name for measure in measures for name in measure.neither_is_better}
    figure, part = split_part(metric)
    if {strip_label(metric), figure, split_tolerance(figure)[0]} & neither:
        return "none"
    return "lower" if strip_label(metric) in lower or part == SPREAD or figure in lower else "higher"


def add_arrow(heading: str, metric: str) -> str:
    """A heading with an arrow to the better side; without one where there is none."""
    return f"{heading}{ARROWS[find_direction(metric)]}"
