"""XDoG against its equations written down literally, and what its lines must and must not depend on."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from lepbench.detectors import Xdog

LUMA = np.array([0.299, 0.587, 0.114])


def literal(image: np.ndarray, sigma: float, k: float, p: float, epsilon: float, phi: float) -> np.ndarray:
    """The ink of a picture [3, H, W] by the paper's equations, pixel by pixel."""
    grey = np.tensordot(LUMA, image, 1)

    def blurred(by: float) -> np.ndarray:
        return gaussian_filter(grey, by, mode="nearest", radius=max(1, math.ceil(3 * by)))

    fine, coarse = blurred(sigma), blurred(k * sigma)
    drawing = np.ones_like(grey)
    for at in np.ndindex(grey.shape):
        u = (1 + p) * fine[at] - p * coarse[at]
        if u < epsilon:
            drawing[at] = 1 + math.tanh(phi * (u - epsilon))
    return 1 - drawing


def soft(images: np.ndarray | torch.Tensor, **changed: float) -> np.ndarray:
    return Xdog(**changed).soft(torch.as_tensor(images, dtype=torch.float32)).numpy()


def noise(seed: int, height: int = 24, width: int = 31) -> np.ndarray:
    return gaussian_filter(np.random.default_rng(seed).random((1, 3, height, width)), (0, 0, 1, 1))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    sigma=st.floats(0.3, 2),
    k=st.floats(1.1, 5),
    p=st.floats(0, 60),
    epsilon=st.floats(-0.5, 0.6),
    phi=st.floats(0.5, 40),
)
def test_equals_the_equations(
    seed: int, sigma: float, k: float, p: float, epsilon: float, phi: float
) -> None:
    image = noise(seed, 12, 15)
    expected = literal(image[0], sigma, k, p, epsilon, phi)
    # Float32 blurs are off by some 1e-7, which p and phi enlarge.
    found = soft(image, sigma=sigma, k=k, p=p, epsilon=epsilon, phi=phi)[0]
    assert np.abs(found - expected).max() < 2e-6 * (1 + 2 * p) * max(1, phi)


@pytest.mark.parametrize("level", [0.0, 0.01, 0.3, 0.5, 1.0])
def test_a_flat_picture_has_no_ink(level: float) -> None:
    flat = torch.full((1, 3, 20, 20), level)
    assert soft(flat).max() == 0
    assert soft(flat, epsilon=0).max() < 1e-3


def test_above_zero_epsilon_fills_the_dark() -> None:
    assert Xdog(epsilon=0.6)(torch.full((1, 3, 8, 8), 0.2)).all()


def test_a_step_is_inked_once_and_on_its_dark_side() -> None:
    image = torch.full((1, 3, 20, 40), 0.2)
    image[..., 20:] = 0.9
    found = Xdog()(image)[0]
    assert found[:, 18:20].any(1).all()
    assert not found[:, 20:].any()
    assert not found[:, :16].any()
    assert not Xdog()(0.9 + 0.02 * image).any()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), light=st.floats(0.2, 1))
def test_at_epsilon_zero_light_scales_the_ink_and_moves_no_line(seed: int, light: float) -> None:
    image = torch.from_numpy(noise(seed)).float()
    lit = Xdog(epsilon=0).soft(image)
    dim = Xdog(epsilon=0, phi=10 / light).soft(light * image)
    assert torch.allclose(lit, dim, atol=5e-4)


def test_turned_and_mirrored_pictures_give_turned_and_mirrored_maps() -> None:
    image = torch.from_numpy(noise(3)).float()
    found = Xdog().soft(image)
    assert found.max() > 0.1
    assert torch.allclose(Xdog().soft(image.flip(-1)).flip(-1), found, atol=1e-4)
    assert torch.allclose(Xdog().soft(image.transpose(-1, -2)).transpose(-1, -2), found, atol=1e-4)


def test_a_picture_is_judged_apart_from_its_batch() -> None:
    images = torch.rand(6, 3, 19, 23, generator=torch.Generator().manual_seed(2))
    apart = torch.cat([Xdog().soft(image[None]) for image in images])
    assert torch.equal(Xdog().soft(images), apart)


@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (2, 3, 2, 9), (0, 3, 8, 8)])
def test_tiny_and_empty_batches_pass(shape: tuple[int, int, int, int]) -> None:
    assert Xdog()(torch.rand(shape)).shape == (shape[0], *shape[2:])
