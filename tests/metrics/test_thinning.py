"""Thinning equals skimage's, pixel for pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter
from skimage.morphology import thin as by_skimage

from lepbench.metrics.thinning import thin


@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_equals_skimage_on_any_map(strokes: np.ndarray) -> None:
    assert np.array_equal(thin(strokes), by_skimage(strokes))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 1.0])
def test_equals_skimage_on_wide_strokes(share: float) -> None:
    soft = gaussian_filter(np.random.default_rng(0).random((97, 130)), 3)
    strokes = soft <= np.quantile(soft, share)
    assert np.array_equal(thin(strokes), by_skimage(strokes))


def test_what_is_thinned_is_left_as_it_was() -> None:
    strokes = np.ones((9, 30), dtype=bool)
    lines = thin(strokes)
    assert strokes.all()
    assert 0 < lines.sum() < 40
    assert np.array_equal(thin(lines), lines)
    assert not thin(np.zeros((4, 5), dtype=bool)).any()
