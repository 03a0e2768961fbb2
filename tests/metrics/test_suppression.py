"""Non-maximum suppression against a pixel-by-pixel implementation and against lines of known place."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from lepbench.metrics.suppression import estimate_orientation, filter_triangle, suppress_nonmaxima

SIDE = 49


def interpolate(image: np.ndarray, x: float, y: float) -> float:
    height, width = image.shape
    x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
    left, top = min(int(x), width - 2), min(int(y), height - 2)
    across, down = x - left, y - top
    upper = (1 - across) * image[top, left] + across * image[top, left + 1]
    lower = (1 - across) * image[top + 1, left] + across * image[top + 1, left + 1]
    return float((1 - down) * upper + down * lower)


def suppress_slowly(
    smooth: np.ndarray, angles: np.ndarray, radius: int, margin: int, factor: float
) -> np.ndarray:
    height, width = smooth.shape
    out = smooth.copy()
    for y in range(height):
        for x in range(width):
            for step in [d for d in range(-radius, radius + 1) if d]:
                there = interpolate(
                    smooth, x + step * math.cos(angles[y, x]), y + step * math.sin(angles[y, x])
                )
                if factor * smooth[y, x] < there:
                    out[y, x] = 0
    for y in range(height):
        for x in range(width):
            for distance in (min(x, width - 1 - x), min(y, height - 1 - y)):
                out[y, x] *= min(distance / margin, 1)
    return out


@pytest.mark.parametrize(("radius", "margin", "factor"), [(1, 5, 1.01), (2, 3, 1.0)])
def test_equals_the_loop_over_pixels(radius: int, margin: int, factor: float) -> None:
    soft = gaussian_filter(np.random.default_rng(0).random((21, 30)), 1.5)
    soft = (soft - soft.min()) / (soft.max() - soft.min())
    smooth = filter_triangle(soft, 1)
    expected = suppress_slowly(smooth, estimate_orientation(smooth), radius, margin, factor)
    found = suppress_nonmaxima(soft, radius, margin, factor)
    assert 0 < np.count_nonzero(found) < found.size / 2
    assert np.allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("radius", [1, 4])
def test_the_triangle_is_a_box_on_a_box(radius: int) -> None:
    image = np.random.default_rng(1).random((17, 23))
    box = np.ones(radius + 1) / (radius + 1)
    padded = np.pad(image, radius, mode="symmetric")
    for axis in (0, 1):
        for _ in range(2):
            padded = np.apply_along_axis(np.convolve, axis, padded, box, "valid")
    assert np.allclose(filter_triangle(image, radius), padded)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, math.pi), st.floats(-4, 4))
def test_a_straight_ridge_is_kept_at_its_crest_alone(angle: float, offset: float) -> None:
    rows, columns = np.indices((SIDE, SIDE)) - (SIDE - 1) / 2
    distance = columns * math.cos(angle) + rows * math.sin(angle) - offset
    found = suppress_nonmaxima(np.exp(-(distance**2) / 8))
    inner = np.s_[10:-10, 10:-10]
    kept, away = found[inner] > 0.2, np.abs(distance[inner])
    assert away[kept].max() <= 1.0
    assert (found[inner][away < 0.25] > 0.2).all()


def test_the_border_fades_and_small_maps_pass() -> None:
    flat = suppress_nonmaxima(np.ones((20, 30)))
    assert np.allclose(flat[10, :7], [0, 0.2, 0.4, 0.6, 0.8, 1, 1])
    assert np.allclose(flat[:7, 15], [0, 0.2, 0.4, 0.6, 0.8, 1, 1])
    for shape in [(1, 1), (1, 9), (2, 3), (5, 5)]:
        assert suppress_nonmaxima(np.ones(shape)).shape == shape
