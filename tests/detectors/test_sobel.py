"""The soft Sobel grades contrast, sees colour, and draws thin lines where the contour is."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from lepbench.detectors import Canny, Sobel
from lepbench.detectors.sobel import gradients


def step(contrast: float, channel: int = 0, size: int = 20, at: int = 8) -> torch.Tensor:
    images = torch.zeros(1, 3, size, size)
    images[:, channel, :, at:] = contrast
    return images


def disc(radius: float, size: int = 128) -> tuple[torch.Tensor, torch.Tensor]:
    """An antialiased disc, and the distance of each pixel from its rim."""
    axis = torch.arange(size) - size / 2 + 0.25
    distance = torch.hypot(axis[:, None], axis[None, :])
    return (radius - distance + 0.5).clamp(0, 1).expand(1, 3, size, size), (distance - radius).abs()


def test_gradients_equal_scipys() -> None:
    image = np.random.default_rng(0).random((13, 17))
    along_x, along_y = gradients(torch.from_numpy(image)[None, None])
    assert np.allclose(along_x[0, 0], ndimage.sobel(image, axis=1, mode="nearest"))
    assert np.allclose(along_y[0, 0], ndimage.sobel(image, axis=0, mode="nearest"))


@settings(max_examples=30, deadline=None)
@given(
    contrast=st.floats(0.05, 1),
    channel=st.integers(0, 2),
    sigma=st.floats(0.4, 1.5),
    turned=st.booleans(),
    falling=st.booleans(),
)
def test_a_straight_step_is_graded_by_its_contrast_on_one_line(
    contrast: float, channel: int, sigma: float, turned: bool, falling: bool
) -> None:
    images = step(contrast, channel)
    images = contrast - images if falling else images
    strength = Sobel(sigma=sigma).soft(images.transpose(2, 3) if turned else images)[0]
    strength = strength.T if turned else strength
    assert torch.allclose(strength[:, 7], torch.tensor(contrast), atol=1e-5)
    # Beside the line only rounding may remain.
    assert strength[:, :7].max() < 1e-5
    assert strength[:, 8:].max() < 1e-5


def test_a_thinned_rim_is_complete_thin_and_in_place() -> None:
    images, from_rim = disc(40.0)
    found = Sobel()(images)[0]
    assert from_rim[found].max() < 1
    rim = from_rim < 0.5
    reached = ndimage.distance_transform_edt(~found.numpy())[rim.numpy()] <= 1
    assert reached.all()
    # An 8-connected circle of radius r has 4 sqrt(2) r pixels, a 4-connected one 8 r.
    assert 4 * np.sqrt(2) * 40 * 0.98 < int(found.sum()) < 8 * 40
    assert Sobel(thin=False)(images).sum() > 1.8 * found.sum()


def test_colours_of_equal_grey_are_told_apart_where_canny_sees_nothing() -> None:
    images = torch.zeros(1, 3, 20, 20)
    red, green = 0.299, 0.587  # the weights of luma
    images[:, 0, :, :10] = 0.6
    images[:, 1, :, 10:] = 0.6 * red / green
    assert not Canny()(images).any()
    assert Sobel()(images)[0, :, 9].all()


def test_strength_lies_in_the_unit_range_and_the_threshold_cuts_it() -> None:
    images = torch.rand(4, 3, 21, 34, generator=torch.Generator().manual_seed(1)).round()
    for thin in (True, False):
        detector = Sobel(thin=thin, threshold=0.4)
        strength = detector.soft(images)
        assert strength.shape == (4, 21, 34)
        assert strength.min() >= 0
        assert strength.max() <= 1
        assert torch.equal(detector(images), strength > 0.4)
        assert detector(images).any()


def test_a_picture_is_judged_apart_from_its_batch() -> None:
    images = torch.rand(6, 3, 19, 23, generator=torch.Generator().manual_seed(2))
    apart = torch.cat([Sobel().soft(image[None]) for image in images])
    assert torch.equal(Sobel().soft(images), apart)


@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (2, 3, 2, 9), (0, 3, 8, 8)])
def test_tiny_and_empty_batches_pass(shape: tuple[int, int, int, int]) -> None:
    assert Sobel()(torch.rand(shape)).shape == (shape[0], *shape[2:])
