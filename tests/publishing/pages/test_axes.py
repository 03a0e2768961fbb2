"""Axes hold their figures, and their ticks are where they say."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lepbench.evaluation.figures import Figure
from lepbench.publishing.pages.axes import make_axis

NUMBERS = st.floats(-1e3, 1e3, allow_nan=False).map(lambda number: round(number, 4))


@given(st.lists(NUMBERS, min_size=1, max_size=9), st.booleans())
@example([0.0001], True)
def test_an_axis_holds_what_it_is_made_for(numbers: list[float], from_zero: bool) -> None:
    axis = make_axis([Figure(value=number, n=1) for number in numbers], from_zero=from_zero)
    assert axis is not None
    for number in [*numbers, *([0.0] if from_zero else [])]:
        assert 2.9 <= axis.place(number) <= 97.1
    assert 2 <= len(axis.ticks) <= 7
    for tick in axis.ticks:
        assert axis.place(float(tick.text)) == pytest.approx(tick.place, abs=0.1)


def test_a_bar_has_the_ends_of_the_interval() -> None:
    figure = Figure(value=0.5, low=0.25, high=1.0, n=3)
    axis = make_axis([figure], from_zero=True)
    assert axis is not None
    bar = axis.measure(figure)
    assert bar is not None
    assert (bar.value, bar.low, bar.high) == (50, 26.5, 97)
    assert axis.measure(Figure(value=None, n=3)) is None
    assert make_axis([Figure(value=None, n=3), None]) is None
