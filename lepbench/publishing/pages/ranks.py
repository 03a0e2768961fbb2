"""Ranks that intervals or paired tests leave open: models that nothing parts share theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lepbench.evaluation.directions import SIGNS, find_direction
from lepbench.evaluation.figures import Figure

Ranks = tuple[int, int]
"""The best and the worst that a model may have."""


def rank_by_intervals(figures: Mapping[str, Figure], metric: str) -> dict[str, Ranks]:
    """The ranks of models: one is ahead of another where its whole interval is on the better side.

    Intervals of single models part fewer of them than a paired test on the same samples.

    Args:
        figures: of the models, by name; those without a value have no rank.
    """
    sign = SIGNS[find_direction(metric)]
    known = {name: figure for name, figure in figures.items() if figure.value is not None}
    if not sign:
        return {}

    def lead(first: str, second: str) -> bool:
        ends = [_read_ends(known[name], sign) for name in (first, second)]
        return ends[0][0] > ends[1][1]

    return count_ranks(list(known), lead)


def count_ranks(names: list[str], lead: Callable[[str, str], bool]) -> dict[str, Ranks]:
    """The ranks of models from which are ahead of which."""
    return {
        name: (
            1 + sum(lead(other, name) for other in names if other != name),
            len(names) - sum(lead(name, other) for other in names if other != name),
        )
        for name in names
    }


def write_ranks(ranks: Ranks | None) -> str:
    """Ranks as they are read: `3`, or `1–4` of models that tie; a dash for none."""
    if ranks is None:
        return "–"
    first, last = ranks
    return str(first) if first == last else f"{first}–{last}"


def _read_ends(figure: Figure, sign: int) -> tuple[float, float]:
    """The worse and the better end of an interval, the better being the larger; of none, the value twice."""
    value = figure.value or 0.0
    ends = [sign * (value if end is None else end) for end in (figure.low, figure.high)]
    return min(ends), max(ends)
