"""Guidance by the foreseen clean picture: what is foreseen, how it is compared, and that it steers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, FlowMatchEulerDiscreteScheduler
from scipy.ndimage import gaussian_filter, sobel
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.errors import LepbenchError
from lepbench.guidance import CleanGuidance, SamplerSettings, sample
from lepbench.guidance.clean import edge_distance
from lepbench.predictors.noise import clean_latents

PROMPTS = ["a red fish", "two blue boats", "x"]


def strokes(count: int = 3) -> torch.Tensor:
    drawn = torch.zeros(count, 64, 64, dtype=torch.bool)
    drawn[:, 16:48, 16] = drawn[:, 16:48, 47] = drawn[:, 16, 16:48] = drawn[:, 47, 16:48] = True
    return drawn


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
def test_the_foreseen_latent_is_the_one_ddim_foresees(kind: str) -> None:
    scheduler = DDIMScheduler(prediction_type=kind, clip_sample=False, beta_schedule="scaled_linear")
    scheduler.set_timesteps(10)
    noisy, output = torch.randn(2, 2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    expected = scheduler.step(output, 501, noisy).pred_original_sample
    found = clean_latents(dict(scheduler.config), output, noisy, torch.tensor(501))
    assert torch.allclose(found, expected, atol=1e-5)


def test_the_foreseen_latent_of_a_flow_is_where_one_long_step_ends() -> None:
    scheduler = FlowMatchEulerDiscreteScheduler()
    scheduler.set_timesteps(sigmas=[0.75])
    noisy, output = torch.randn(2, 2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    expected = scheduler.step(output, scheduler.timesteps[0], noisy).prev_sample
    found = clean_latents(dict(scheduler.config), output, noisy, torch.tensor(750.0), flow=True)
    assert torch.allclose(found, expected, atol=1e-5)


def test_the_distance_is_one_less_the_cosine_of_softened_maps() -> None:
    random = np.random.default_rng(0)
    picture = gaussian_filter(random.random((40, 40)), 2.0)
    drawn = random.random((40, 40)) < 0.05
    fine = gaussian_filter(picture, 0.7, mode="nearest", truncate=4.3)
    strength = np.hypot(*(sobel(fine, axis, mode="nearest") for axis in (0, 1)))
    soft = [gaussian_filter(m, 1.0, mode="nearest", truncate=3.0) for m in (strength, drawn.astype(float))]
    expected = 1 - (soft[0] * soft[1]).sum() / np.linalg.norm(soft[0]) / np.linalg.norm(soft[1])
    grey = torch.from_numpy(picture).float().expand(1, 3, -1, -1)
    found = edge_distance(1000 * grey, torch.from_numpy(drawn)[None], 1.0)
    assert float(found) == pytest.approx(expected, abs=1e-3)


def test_the_distance_asks_for_lines_where_strokes_are_and_nowhere_else() -> None:
    wanted = strokes(1)
    filled = torch.zeros(1, 3, 64, 64)
    filled[:, :, 16:48, 16:48] = 1
    noisy = filled + 0.3 * torch.randn(filled.shape, generator=torch.Generator().manual_seed(0))
    near, faint, far, blank = (
        float(edge_distance(p, wanted, 1.0))
        for p in (filled, 0.2 * filled + 0.4, filled.roll(12, -1), torch.full_like(filled, 0.5))
    )
    assert near < 0.2
    assert faint == pytest.approx(near, abs=1e-3)
    assert near < float(edge_distance(noisy, wanted, 1.0))
    assert near + 0.2 < far < blank
    only_left = torch.zeros(1, 64, 64)
    only_left[:, :, :24] = 1
    moved = filled.clone()
    moved[..., 40:48] = 0
    assert float(edge_distance(moved, wanted, 1.0, only_left)) < float(edge_distance(moved, wanted, 1.0))


def test_the_gradient_is_that_of_the_distance(tiny_backbone: Backbone, start: Tensor) -> None:
    when, conditioning = torch.tensor(501), tiny_backbone.encode_prompts(PROMPTS)
    guidance = CleanGuidance(strokes())
    step = guidance.step(tiny_backbone, start, when, conditioning)
    assert step.edges is None
    assert step.output is not None
    assert torch.allclose(step.output, tiny_backbone.predict(start, when, conditioning), atol=1e-6)

    def distance(z: torch.Tensor) -> torch.Tensor:
        foreseen = clean_latents(
            tiny_backbone.scheduler, tiny_backbone.predict(z, when, conditioning), z, when
        )
        return edge_distance(tiny_backbone.decode(foreseen) / 2 + 0.5, strokes(), 1.0)

    direction = step.gradient / step.gradient.flatten(1).norm(dim=1)[:, None, None, None]
    with torch.no_grad():
        ahead, behind = distance(start + 0.02 * direction), distance(start - 0.02 * direction)
    slope = step.gradient.flatten(1).norm(dim=1)
    assert torch.allclose((ahead - behind) / 0.04, slope, rtol=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ddim", "euler", "unipc"])
def test_it_draws_the_picture_to_the_sketch_sample_by_sample(
    name: str, tiny_backbone: Backbone, start: Tensor
) -> None:
    settings = SamplerSettings(steps=4, scheduler=name)

    def draw(scale: float, rows: slice = slice(None)) -> torch.Tensor:
        drawn = strokes()[rows]
        guidance = CleanGuidance(drawn, scale, 0.0)
        return sample(tiny_backbone, PROMPTS[rows], start[rows], settings, guidance).latents

    plain, guided = draw(0.0), draw(0.8)
    far, near = (
        edge_distance(tiny_backbone.decode_latents(latents), strokes(), 1.0) for latents in (plain, guided)
    )
    assert (near < far).all()
    assert torch.allclose(draw(0.8, slice(1, 2)), guided[1:2], atol=1e-3)


def test_another_number_of_sketches_is_one_line(tiny_backbone: Backbone, start: Tensor) -> None:
    with pytest.raises(LepbenchError, match=r"sketches \(2, 64, 64\) for noise .*; give one map a sample"):
        sample(tiny_backbone, PROMPTS, start, SamplerSettings(steps=2), CleanGuidance(strokes(2)))
    uneven = CleanGuidance(strokes(), weights=torch.ones(64, 64))
    with pytest.raises(LepbenchError, match="sketch weights"):
        sample(tiny_backbone, PROMPTS, start, SamplerSettings(steps=2), uneven)
