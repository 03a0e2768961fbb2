"""Canny equals kornia's, whose hysteresis it replaces, pixel for pixel."""

from pathlib import Path

import numpy as np
import pytest
import skimage
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kornia.filters import canny, gaussian_blur2d
from torch import Tensor

from lepbench.detectors import Canny
from lepbench.detectors.canny import axes, connected, gradients, magnitudes, ridges
from lepbench.images import open_rgb, to_tensor

BUNDLED = ("astronaut", "camera", "chelsea", "coffee", "horse", "phantom")
CROP = 112


def by_kornia(images: Tensor, low: float = 0.1, high: float = 0.2) -> Tensor:
    # One at a time: kornia's blur of a batch may round otherwise than that of one picture.
    return torch.cat([canny(one, low, high, hysteresis=True)[1][:, 0] == 1 for one in images.split(1)])


def random_pictures(seed: int, batch: int, height: int, width: int, smooth: bool) -> Tensor:
    noise = torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(seed))
    return gaussian_blur2d(noise, (5, 5), (1.5, 1.5)) if smooth else noise


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    batch=st.integers(1, 4),
    height=st.integers(5, 40),
    width=st.integers(5, 40),
    smooth=st.booleans(),
    thresholds=st.sampled_from([(0.1, 0.2), (0.3, 0.9), (0.05, 1.5), (0.4, 0.4)]),
)
def test_equals_kornia_on_random_pictures(
    seed: int, batch: int, height: int, width: int, smooth: bool, thresholds: tuple[float, float]
) -> None:
    low, high = thresholds
    images = random_pictures(seed, batch, height, width, smooth)
    assert torch.equal(Canny(low=low, high=high)(images), by_kornia(images, low, high))


def bundled(name: str) -> Tensor:
    path = Path(skimage.__file__).parent / "data" / f"{name}.png"
    return to_tensor(np.array(open_rgb(path)))[None]


def graded(images: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Our ridges and the magnitude on them, which kornia has before its hysteresis."""
    across, down = gradients(images)
    magnitude = magnitudes(across.numpy(), down.numpy())
    ridge = ridges(magnitude, axes(across, down))
    return ridge, magnitude[:, 1:-1, 1:-1] * ridge


@pytest.mark.parametrize("name", BUNDLED)
def test_equals_kornia_on_real_pictures(name: str) -> None:
    images = bundled(name)
    top, left = ((side - CROP) // 2 for side in images.shape[2:])
    images = images[..., top : top + CROP, left : left + CROP]
    found = Canny()(images)
    assert found.any()
    assert torch.equal(found, by_kornia(images))


@pytest.mark.parametrize("images", [*map(bundled, BUNDLED), random_pictures(5, 50, 96, 97, smooth=False)])
def test_magnitudes_on_ridges_are_kornia_s_to_the_bit(images: Tensor) -> None:
    ridge, magnitude = graded(images)
    assert ridge.any()
    known = torch.cat([canny(one, 0.1, 0.2, hysteresis=False)[0][:, 0] for one in images.split(1)])
    assert np.array_equal(magnitude, known.numpy())


@pytest.mark.parametrize("kind", [torch.float64, torch.float16])
def test_other_floats_are_taken_as_kornia_takes_them(kind: torch.dtype) -> None:
    images = random_pictures(6, 2, 40, 41, smooth=True).to(kind)
    assert torch.equal(Canny()(images), by_kornia(images))


def test_a_picture_is_judged_apart_from_its_batch() -> None:
    images = random_pictures(3, 8, 33, 47, smooth=True)
    apart = torch.cat([Canny()(image[None]) for image in images])
    assert torch.equal(Canny()(images), apart)


def test_weak_pixels_are_kept_only_where_a_strong_one_is_connected() -> None:
    candidates = np.zeros((2, 5, 7), dtype=bool)
    candidates[0, 0, 0] = candidates[0, 1, 1] = candidates[0, 2, 0] = True  # a diagonal chain from the border
    candidates[0, 4, 4:] = True  # a chain that touches nothing
    candidates[1, 2, 0] = True  # the same place in the next picture
    strong = np.zeros_like(candidates)
    strong[0, 0, 0] = True
    kept = connected(candidates, strong)
    assert sorted(map(tuple, np.argwhere(kept))) == [(0, 0, 0), (0, 1, 1), (0, 2, 0)]


def test_maps_of_any_memory_layout_are_grown_alike() -> None:
    candidates = np.random.default_rng(0).random((2, 9, 12)) < 0.5
    strong = candidates & (np.random.default_rng(1).random((2, 9, 12)) < 0.2)
    other = [np.asfortranarray(one) for one in (candidates, strong)]
    assert np.array_equal(connected(*other), connected(candidates, strong))


def test_a_flat_picture_has_no_edge() -> None:
    assert not Canny()(torch.full((2, 3, 16, 16), 0.5)).any()


def test_thresholds_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="low must not exceed high"):
        Canny(low=0.3, high=0.2)


@pytest.mark.parametrize(
    "images", [torch.zeros(3, 8, 8), torch.zeros(1, 1, 8, 8), torch.zeros(1, 3, 8, 8).byte()]
)
def test_what_is_no_float_rgb_batch_is_refused(images: Tensor) -> None:
    with pytest.raises(ValueError, match=r"expected float \[B, 3, H, W\]"):
        Canny()(images)
