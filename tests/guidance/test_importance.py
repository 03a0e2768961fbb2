"""Parts of a sketch can matter more than others, or not at all."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings, SketchGuidance, sample
from lepbench.guidance.importance import pool_weights
from lepbench.guidance.sampler import SampledLatents
from lepbench.predictors import MlpPredictor

PROMPTS = ["a red fish", "two blue boats", "x"]


def drawn(
    backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor, weights: Tensor | None
) -> SampledLatents:
    guidance = SketchGuidance(predictor, target, 1.0, 0.4, weights)
    return sample(backbone, PROMPTS, start, SamplerSettings(steps=4), guidance)


def test_weights_of_latent_pixels_are_means_over_their_pixels() -> None:
    weights = torch.rand(2, 12, 8)
    small = pool_weights(weights, (3, 2))
    assert small.shape == (2, 1, 3, 2)
    assert torch.allclose(small[1, 0, 2, 1], weights[1, 8:12, 4:8].mean())


def test_the_same_weight_everywhere_is_none(
    tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    even = drawn(tiny_backbone, predictor, target, start, torch.full((3, 1, 16, 16), 2.0))
    none = drawn(tiny_backbone, predictor, target, start, None)
    assert torch.allclose(even.latents, none.latents, atol=1e-3)


def test_what_has_no_weight_has_no_say(
    tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    weights = torch.ones(3, 1, 16, 16)
    weights[..., 8:] = 0
    other = target.clone()
    other[..., 8:] = -other[..., 8:] + 3
    one, two = (drawn(tiny_backbone, predictor, t, start, weights) for t in (target, other))
    assert torch.equal(one.latents, two.latents)
    nowhere = drawn(tiny_backbone, predictor, target, start, torch.zeros(3, 1, 16, 16))
    plain = sample(tiny_backbone, PROMPTS, start, SamplerSettings(steps=4))
    assert torch.allclose(nowhere.latents, plain.latents, atol=1e-4)


@pytest.mark.slow
def test_a_heavier_half_comes_nearer_its_half(
    tiny_backbone: Backbone, predictor: MlpPredictor, start: Tensor
) -> None:
    reading = SketchGuidance(predictor, torch.zeros_like(start), 0.0, 0.0)
    settings = SamplerSettings(steps=6)
    wanted = sample(tiny_backbone, PROMPTS, start.flip(0), settings, reading).edges
    assert wanted is not None

    def error_on_the_left(left: float, right: float) -> float:
        weights = torch.full((3, 1, 16, 16), right)
        weights[..., :8] = left
        guidance = SketchGuidance(predictor, wanted, 0.7, 0.0, weights)
        edges = sample(tiny_backbone, PROMPTS, start, settings, guidance).edges
        assert edges is not None
        return float((edges - wanted)[..., :8].square().sum())

    assert error_on_the_left(1.0, 0.05) < error_on_the_left(0.05, 1.0)


def test_what_is_no_weight_is_one_line(
    tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    for bad in (-1.0, float("nan"), float("inf")):
        with pytest.raises(LepbenchError, match="negative or not finite; give weights from 0 up"):
            pool_weights(torch.full((1, 8, 8), bad), (2, 2))
    with pytest.raises(LepbenchError, match=r"sketch weights \(3, 16, 16\), not \(3, 1, 16, 16\)"):
        drawn(tiny_backbone, predictor, target, start, torch.ones(3, 16, 16))
