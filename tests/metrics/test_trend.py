"""The slope of a curve against numpy's fit of a line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lepbench.metrics.trend import fit_slope

PLACES = st.lists(st.integers(-50, 50), min_size=2, max_size=8, unique=True)
VALUES = st.floats(-10, 10)


@given(st.data(), PLACES)
def test_it_is_the_slope_of_the_least_squares_line(data: st.DataObject, places: list[int]) -> None:
    curves = data.draw(arrays(np.float64, (3, len(places)), elements=VALUES))
    fitted = np.polyfit(places, curves.T, 1)[0]
    np.testing.assert_allclose(fit_slope(places, curves), fitted, rtol=1e-7, atol=1e-9)


@given(PLACES, st.floats(-5, 5), VALUES)
def test_a_straight_line_has_its_own(places: list[int], slope: float, start: float) -> None:
    line = slope * np.array(places, np.float64) + start
    assert float(fit_slope(places, line)) == pytest.approx(slope, abs=1e-9)


@pytest.mark.parametrize(("places", "values"), [([1.0, 1.0], [0, 1]), ([1.0, 2.0], [0, 1, 2]), ([], [])])
def test_what_has_no_slope_is_refused(places: list[float], values: list[float]) -> None:
    with pytest.raises(ValueError, match=r"slope|places"):
        fit_slope(places, values)
