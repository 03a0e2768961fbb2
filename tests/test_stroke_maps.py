"""Strokes as pixels: where they are, which number they have, and how a frame is put into a square."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import distance_transform_edt

from lepbench.images import square
from lepbench.strokes import MARGIN, crop_strokes, fit_strokes, measure_extent, number_strokes, rasterise

SIZE = 48
points = st.tuples(*[st.floats(0.5, SIZE - 0.5)] * 2)
polyline: st.SearchStrategy[np.ndarray] = st.lists(points, min_size=1, max_size=5).map(np.array)
lines = st.lists(polyline, min_size=1, max_size=6)


def walked(line: np.ndarray) -> np.ndarray:
    """Points every twentieth of a pixel along a line."""
    pieces = [np.linspace(a, b, 1000) for a, b in pairwise(line)]
    return np.concatenate([line[:1], *pieces])


@pytest.mark.slow
@settings(max_examples=40)
@given(lines)
def test_pixels_are_those_near_the_lines(drawn: list[np.ndarray]) -> None:
    found = rasterise(drawn, SIZE)
    way = np.concatenate([walked(line) for line in drawn]) - 0.5
    # OpenCV rounds the ends and walks the longer axis, so it may be over a pixel off, seen across.
    ys, xs = np.nonzero(found)
    gaps = np.linalg.norm(np.stack([xs, ys], axis=1)[:, None] - way[None], axis=2)
    assert gaps.min(axis=1).max() <= 1.25
    assert gaps.min(axis=0).max() <= 1.25


@settings(max_examples=50)
@given(lines)
def test_a_pixel_has_the_number_of_the_last_stroke_there(drawn: list[np.ndarray]) -> None:
    expected = np.zeros((SIZE, SIZE), int)
    for number, line in enumerate(drawn, start=1):
        expected[rasterise([line], SIZE)] = number
    assert np.array_equal(number_strokes(drawn, SIZE), expected)


def test_a_dot_is_one_pixel() -> None:
    assert np.argwhere(rasterise([np.array([[3.5, 7.5]])], SIZE)).tolist() == [[7, 3]]


def test_many_strokes_are_numbered_too() -> None:
    dots = [np.array([[x + 0.5, y + 0.5]]) for y in range(20) for x in range(20)]
    found = number_strokes(dots, 20)
    assert found.dtype == np.uint16
    assert np.array_equal(found.ravel(), np.arange(1, 401))
    with pytest.raises(ValueError, match="too many"):
        number_strokes(dots[:1] * 70_000, 20)


@given(st.integers(8, 400), st.integers(8, 400))
def test_a_fitted_frame_lies_in_the_middle_with_its_margin(width: int, height: int) -> None:
    corners = np.array([[0, 0], [width, height]], np.float64)
    low, high = measure_extent(fit_strokes([corners], width, height, 256))
    np.testing.assert_allclose(low + high, 256)
    np.testing.assert_allclose((high - low).max(), 256 * (1 - 2 * MARGIN))
    np.testing.assert_allclose((high - low)[0] * height, (high - low)[1] * width)


@pytest.mark.parametrize(("width", "height"), [(96, 64), (64, 96), (200, 150), (64, 64)])
def test_a_cropped_line_stays_on_its_picture(width: int, height: int) -> None:
    line = np.array([[width * 0.3, height * 0.4], [width * 0.6, height * 0.7]])
    steps = np.round(walked(line) - 0.5).astype(int)
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[steps[:, 1], steps[:, 0]] = 255
    shown = np.asarray(square(Image.fromarray(pixels), 64))[..., 0] > 64
    (placed,) = crop_strokes([line], width, height, 64)
    drawn = rasterise([placed], 64)
    assert distance_transform_edt(~shown)[drawn].max() <= 1.5
    assert distance_transform_edt(~drawn)[shown].max() <= 1.5
