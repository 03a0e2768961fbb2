"""Figures with their intervals, as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lepbench.metrics.statistics import Interval


def list_figures(figures: Mapping[str, Interval]) -> list[str]:
    """A line a figure: value and bounds."""
    width = max(map(len, figures), default=0)
    return [
        f"{name:<{width}}  {one.value:.4f}  [{one.low:.4f}, {one.high:.4f}]" for name, one in figures.items()
    ]


def dump_figures(figures: Mapping[str, Interval]) -> dict[str, Any]:
    """Figures as objects with `value`, `low` and `high`."""
    return {name: one._asdict() for name, one in figures.items()}
