"""Soft overlap against its definition and against masks; MS-SSIM against torchmetrics' class and SciPy."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter
from torchmetrics.image import MultiScaleStructuralSimilarityIndexMeasure

from lepbench.metrics.masks import mask_iou
from lepbench.metrics.soft import WEIGHTS, ms_ssim, scale_weights, scales_of, soft_iou

soft_pairs = st.tuples(st.integers(1, 3), st.integers(1, 8), st.integers(1, 8)).flatmap(
    lambda shape: st.tuples(*[arrays(np.float32, shape, elements=st.sampled_from([0, 0.125, 0.5, 1]))] * 2)
)


def noisy_pair(height: int, width: int, count: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    """Blobs, and the same with a good deal of noise, float32 in [0, 1]."""
    random = np.random.default_rng(height * width)
    blobs = np.stack([gaussian_filter(random.normal(size=(height, width)), 2) for _ in range(count)])
    first = np.clip(blobs * 4, 0, 1).astype(np.float32)
    second = np.clip(first + random.normal(0, 0.3, first.shape), 0, 1).astype(np.float32)
    return torch.from_numpy(first), torch.from_numpy(second)


def structural_similarity(first: np.ndarray, second: np.ndarray, scales: int) -> float:
    """The definition by SciPy's Gaussian (sigma 1.5, 11 px), of one pair: Wang et al. (2003), equation 7."""

    def blur(values: np.ndarray) -> np.ndarray:
        return gaussian_filter(values, 1.5, mode="mirror", radius=5)

    product, weights = 1.0, np.array(WEIGHTS[:scales])
    for scale, weight in enumerate(weights if scales == 5 else weights / weights.sum()):
        mean_a, mean_b = blur(first), blur(second)
        contrast = (2 * (blur(first * second) - mean_a * mean_b) + 0.03**2) / (
            blur(first**2) - mean_a**2 + blur(second**2) - mean_b**2 + 0.03**2
        )
        luminance = (2 * mean_a * mean_b + 0.01**2) / (mean_a**2 + mean_b**2 + 0.01**2)
        last = scale == scales - 1
        figure = (luminance * contrast).mean() if last else contrast[5:-5, 5:-5].mean()
        product *= max(figure, 0) ** weight
        height, width = first.shape[0] // 2 * 2, first.shape[1] // 2 * 2
        halves = (m[:height, :width].reshape(height // 2, 2, width // 2, 2) for m in (first, second))
        first, second = (half.mean(axis=(1, 3)) for half in halves)
    return product


@settings(max_examples=80, deadline=None)
@given(soft_pairs)
def test_overlap_is_minimum_over_maximum(maps: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = maps
    found = soft_iou(*map(torch.from_numpy, maps))
    assert np.array_equal(found, soft_iou(*map(torch.from_numpy, maps[::-1])))
    for a, b, iou in zip(first, second, found, strict=True):
        pairs = list(zip(a.ravel().tolist(), b.ravel().tolist(), strict=True))
        most = sum(max(pair) for pair in pairs)
        assert iou == pytest.approx(sum(min(pair) for pair in pairs) / most if most else 1.0)


@settings(max_examples=40, deadline=None)
@given(arrays(np.bool_, (2, 3, 6, 5)))
def test_overlap_of_maps_of_0_and_1_is_that_of_masks(maps: np.ndarray) -> None:
    first, second = torch.from_numpy(maps)
    assert np.allclose(soft_iou(first.float(), second.float()), mask_iou(first, second), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("height", "width"), [(176, 200), (64, 64), (40, 47)])
def test_ms_ssim_is_that_of_torchmetrics(height: int, width: int) -> None:
    first, second = noisy_pair(height, width)
    weights = scale_weights(height, width)
    theirs = MultiScaleStructuralSimilarityIndexMeasure(data_range=1.0, reduction="none", betas=weights)
    theirs.update(first[:, None].double(), second[:, None].double())
    assert np.allclose(ms_ssim(first, second), theirs.compute().numpy(), rtol=0, atol=1e-7)


@settings(max_examples=20, deadline=None)
@given(arrays(np.float32, (2, 3, 12, 25), elements=st.sampled_from([0, 0.25, 1])))
def test_figures_do_not_depend_on_the_batch(maps: np.ndarray) -> None:
    first, second = torch.from_numpy(maps)
    for figure in (soft_iou, ms_ssim):
        alone = [figure(a[None], b[None])[0] for a, b in zip(first, second, strict=True)]
        assert np.array_equal(figure(first, second), alone)


SIZES = {
    (11, 40): 1,
    (21, 21): 1,
    (22, 22): 2,
    (43, 60): 2,
    (64, 64): 3,
    (87, 90): 3,
    (88, 175): 4,
    (200, 176): 5,
}


@pytest.mark.parametrize(("size", "scales"), SIZES.items())
def test_ms_ssim_is_its_definition_at_every_size(size: tuple[int, int], scales: int) -> None:
    first, second = noisy_pair(*size)
    assert scales_of(*size) == scales
    found = ms_ssim(first, second)
    for a, b, similarity in zip(first.double().numpy(), second.double().numpy(), found, strict=True):
        assert similarity == pytest.approx(structural_similarity(a, b, scales), abs=1e-12)
        assert 0.05 < similarity < 0.999


def test_weights_of_the_scales_that_fit() -> None:
    assert scale_weights(512, 512) == WEIGHTS
    assert sum(scale_weights(64, 64)) == pytest.approx(1)
    assert np.allclose(np.divide(scale_weights(64, 64), WEIGHTS[:3]), 1 / sum(WEIGHTS[:3]))
    with pytest.raises(ValueError, match="11 px a side, got 10 x 64"):
        scale_weights(10, 64)


def test_equal_maps_and_no_maps() -> None:
    first, second = noisy_pair(64, 64)
    assert np.allclose(ms_ssim(first, first), 1)
    assert np.allclose(ms_ssim(first * 0, first * 0), 1)
    assert np.allclose(ms_ssim(first, second), ms_ssim(second, first), rtol=0, atol=1e-12)
    assert ms_ssim(first[:0], first[:0]).shape == soft_iou(first[:0], first[:0]).shape == (0,)


@pytest.mark.parametrize("figure", [soft_iou, ms_ssim])
def test_what_is_no_pair_of_soft_maps_is_refused(
    figure: Callable[[torch.Tensor, torch.Tensor], np.ndarray],
) -> None:
    soft = torch.full((1, 64, 64), 0.5)
    with pytest.raises(ValueError, match="differ in shape"):
        figure(soft, soft[:, 1:])
    with pytest.raises(ValueError, match=r"expected float \[B, H, W\]"):
        figure(soft[0], soft[0])
    with pytest.raises(ValueError, match=r"expected float \[B, H, W\]"):
        figure(soft > 0, soft > 0)
    for wrong in (2 * soft + 0.1, -soft, soft * torch.nan):
        with pytest.raises(ValueError, match=r"outside \[0, 1\]"):
            figure(soft, wrong)
