"""Pareto fronts and the areas they dominate, against closed forms and a count of cells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepbench.metrics.front import find_front, measure_dominated_area

CELLS = 12
PLACES = st.lists(st.tuples(st.integers(-2, CELLS + 2), st.integers(-2, CELLS + 2)), max_size=8)
"""Points on the corners of a grid whose box is [0, CELLS] x [0, CELLS]."""


def count_cells(points: list[tuple[int, int]]) -> int:
    """The cells of the grid that lie left of and below some point."""
    return sum(
        any(column < x and row < y for x, y in points) for column in range(CELLS) for row in range(CELLS)
    )


@given(PLACES)
def test_the_area_is_that_of_the_cells_below_the_front(points: list[tuple[int, int]]) -> None:
    area = measure_dominated_area(points, (0, 0), (CELLS, CELLS))
    assert area == pytest.approx(count_cells(points) / CELLS**2, abs=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 5, 100])
def test_a_staircase_has_the_area_of_its_closed_form(steps: int) -> None:
    # n points (k / n, 1 - (k - 1) / n): the sum over k of (1 / n)(1 - (k - 1) / n) is (n + 1) / 2n.
    points = [(k / steps, 1 - (k - 1) / steps) for k in range(1, steps + 1)]
    assert measure_dominated_area(points, (0, 0), (1, 1)) == pytest.approx((steps + 1) / (2 * steps))
    assert find_front(points).all()


def test_a_figure_of_which_lower_is_better_has_a_box_that_runs_down() -> None:
    # KID 0.1 in a box from 0.5 down to 0: 0.8 of its side; F1 0.5 of a box from 0 to 1.
    assert measure_dominated_area([(0.5, 0.1)], (0, 0.5), (1, 0)) == pytest.approx(0.5 * 0.8)


@given(PLACES)
def test_the_front_holds_what_no_other_dominates(points: list[tuple[int, int]]) -> None:
    found = find_front(points)
    for (x, y), kept in zip(points, found, strict=True):
        beaten = any((a >= x and b > y) or (a > x and b >= y) for a, b in points)
        assert kept != beaten


@given(PLACES)
def test_what_is_dominated_adds_no_area(points: list[tuple[int, int]]) -> None:
    kept = [point for point, kept in zip(points, find_front(points), strict=True) if kept]
    box = (0, 0), (CELLS, CELLS)
    assert measure_dominated_area(kept, *box) == pytest.approx(measure_dominated_area(points, *box))


def test_what_is_no_set_of_points_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected points \[N, 2\]"):
        find_front(np.ones((3, 3)))
    with pytest.raises(ValueError, match="NaN"):
        measure_dominated_area([(0.5, np.nan)], (0, 0), (1, 1))
    with pytest.raises(ValueError, match="has no area"):
        measure_dominated_area([(0.5, 0.5)], (0, 0), (1, 0))
