"""Which side of a figure is better, and whether it depends on the number of samples; no measure is imported.

Those of lepbench's own measures stand here; the measures of plug-ins declare theirs when they are defined.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from lepbench.evaluation.figure_names import SPREAD, split_part, split_tolerance, strip_label

Direction = Literal["higher", "lower", "none"]
ARROWS: dict[Direction, str] = {"higher": " ↑", "lower": " ↓", "none": ""}
SIGNS: dict[Direction, int] = {"higher": 1, "lower": -1, "none": 0}
"""What a difference is multiplied by, so that it is positive where the first figure is better."""

CHAMFER = "chamfer_px"
DISTANCES = ("fid", "fd", "fid_by_index", "fd_by_index", "kid", "cmmd")
NEIGHBOURS = ("density", "coverage")
DIVERSITIES = ("diversity", "vendi")
WEIGHTED = ("weighted_recall", "others_recall", "weighted_lead")
READINGS = ("reads_sketch", "reads_prompt")

_lower = {CHAMFER, *DISTANCES}
_neither = {*DIVERSITIES, *WEIGHTED, *READINGS}
_of_sets = {*DISTANCES, *NEIGHBOURS}


def declare_figures(lower: Iterable[str], neither: Iterable[str], of_sets: Iterable[str]) -> None:
    """Say which figures, without judge, are better when small, have no better side, or are of sets."""
    _lower.update(lower)
    _neither.update(neither)
    _of_sets.update(of_sets)


def find_direction(metric: str) -> Direction:
    """Which values of a metric are better, as the measures say of their figures.

    A figure by level has the direction of the figure that it is made of; a spread is better when small,
    unless that figure has no better side.
    """
    figure, part = split_part(metric)
    if {strip_label(metric), figure, split_tolerance(figure)[0]} & _neither:
        return "none"
    return "lower" if strip_label(metric) in _lower or part == SPREAD or figure in _lower else "higher"


def is_of_sets(metric: str) -> bool:
    """Whether a metric depends on the number of samples, so that different numbers are not comparable."""
    return strip_label(metric) in _of_sets


def add_arrow(heading: str, metric: str) -> str:
    """A heading with an arrow to the better side; without one where there is none."""
    return f"{heading}{ARROWS[find_direction(metric)]}"
