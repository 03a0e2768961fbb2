"""OpenCV's map to the bit, from pixels and from floats."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lepbench.detectors import Cv2Canny
from lepbench.images import to_tensor


def random_pixels(seed: int, batch: int, height: int, width: int, smooth: bool) -> np.ndarray:
    pixels = np.random.default_rng(seed).integers(0, 256, (batch, height, width, 3), dtype=np.uint8)
    return np.stack([cv2.blur(picture, (5, 5)) for picture in pixels]) if smooth else pixels


def by_opencv(pixels: np.ndarray, low: float, high: float, aperture: int, l2: bool) -> np.ndarray:
    greys = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in pixels]
    return np.stack([cv2.Canny(g, low, high, None, aperture, l2) for g in greys]) == 255


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    batch=st.integers(1, 3),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    smooth=st.booleans(),
    thresholds=st.sampled_from([(100, 200), (20, 60), (300, 300), (50.5, 900)]),
    aperture=st.sampled_from([3, 5, 7]),
    l2=st.booleans(),
)
def test_equals_opencv_from_pixels_and_from_floats(
    seed: int,
    batch: int,
    height: int,
    width: int,
    smooth: bool,
    thresholds: tuple[int, int] | tuple[float, int],
    aperture: int,
    l2: bool,
) -> None:
    low, high = thresholds
    pixels = random_pixels(seed, batch, height, width, smooth)
    detector = Cv2Canny(low=low, high=high, aperture=aperture, l2=l2)
    expected = by_opencv(pixels, low, high, aperture, l2)
    assert np.array_equal(detector.of_pixels(pixels), expected)
    assert np.array_equal(detector(to_tensor(pixels)).numpy(), expected)


def test_settings_matter() -> None:
    pixels = random_pixels(1, 1, 64, 64, smooth=False)
    maps = [
        Cv2Canny(**changed).of_pixels(pixels)
        for changed in ({}, {"low": 20}, {"high": 120}, {"aperture": 5}, {"l2": True})
    ]
    assert all(one.any() for one in maps)
    assert len({one.tobytes() for one in maps}) == len(maps)


def test_pixels_of_any_layout_and_none_at_all_pass() -> None:
    pixels = random_pixels(2, 2, 30, 44, smooth=True)
    expected = Cv2Canny().of_pixels(pixels)
    assert np.array_equal(Cv2Canny().of_pixels(np.asfortranarray(pixels)), expected)
    assert np.array_equal(Cv2Canny().of_pixels(np.repeat(pixels, 2, axis=2)[:, :, ::2]), expected)
    assert Cv2Canny().of_pixels(pixels[:0]).shape == (0, 30, 44)
    assert Cv2Canny()(torch.zeros(0, 3, 30, 44)).shape == (0, 30, 44)


def test_thresholds_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="low must not exceed high"):
        Cv2Canny(low=300, high=200)
