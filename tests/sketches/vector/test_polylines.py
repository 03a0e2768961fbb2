"""Polylines on a canvas: samples are a pixel apart, and what is kept is on the line."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepbench.sketches import Unusable
from lepbench.sketches.vector.polylines import SPECK, cut_line, sample_line

LOW, HIGH = np.array([2, 2]), np.array([52, 42])
corner = st.tuples(st.floats(-100, 150), st.floats(-100, 150))
polylines = st.lists(corner, min_size=2, max_size=5).map(np.array)


@given(polylines)
def test_samples_are_the_parts_of_the_line_in_the_box(line: np.ndarray) -> None:
    found = sample_line(line, LOW, HIGH, 10_000)
    assert ((found.points >= LOW - 1e-6) & (found.points <= HIGH + 1e-6)).all()
    assert (np.diff(found.at) >= 0).all()
    x, y = (np.interp(found.at, np.arange(len(line)), line[:, axis]) for axis in (0, 1))
    np.testing.assert_allclose(found.points, np.stack([x, y], axis=1), atol=1e-6)
    fine = np.concatenate([np.linspace(a, b, 900) for a, b in pairwise(line)])
    inside = fine[((fine > LOW) & (fine < HIGH)).all(axis=1)]
    for point in inside[::50]:
        assert np.linalg.norm(found.points - point, axis=1).min() <= 0.51


def test_a_line_is_cut_where_it_is_not_kept_and_specks_do_not_count() -> None:
    line = np.array([[5.0, 5.0], [25.0, 5.0], [45.0, 5.0]])
    samples = sample_line(line, LOW, HIGH, 1000)
    kept = np.ones(len(samples.at), bool)
    assert cut_line(line, samples, kept)[0] is line
    kept[10 : 10 + SPECK - 1] = False
    assert cut_line(line, samples, kept)[0] is line
    kept[10:30] = False
    first, second = cut_line(line, samples, kept)
    np.testing.assert_allclose(first, [(5, 5), (14, 5)])
    assert second[-1].tolist() == [45, 5]
    kept[:] = False
    assert cut_line(line, samples, kept) == []
    kept[3:6] = True
    assert cut_line(line, samples, kept) == []


def test_a_line_that_leaves_and_comes_back_is_two() -> None:
    line = np.array([[10.0, 10.0], [100.0, 10.0], [100.0, 20.0], [10.0, 20.0]])
    samples = sample_line(line, LOW, HIGH, 1000)
    parts = cut_line(line, samples, np.ones(len(samples.at), bool))
    np.testing.assert_allclose(np.concatenate(parts), [(10, 10), (52, 10), (52, 20), (10, 20)])
    assert len(parts) == 2


def test_too_long_a_line_is_refused() -> None:
    with pytest.raises(Unusable, match="too long"):
        sample_line(np.array([[3.0, 3.0], [50.0, 3.0]]), LOW, HIGH, 10)
