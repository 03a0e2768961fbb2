"""One test for each fault of public samplers of this method: each would fail if ours had the fault."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lepbench.backbones import Backbone
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings, SketchGuidance, sample
from lepbench.guidance.schedulers import make_scheduler
from lepbench.guidance.sketch import extract_strokes
from lepbench.predictors import MlpPredictor
from lepbench.seeds import draw_noise

PROMPTS = ["a red fish", "two blue boats", "x"]
SETTINGS = SamplerSettings(steps=2, guidance_scale=4.0)


def one_step(backbone: Backbone, start: Tensor, guidance: SketchGuidance | None, cfg: float = 4.0) -> Tensor:
    """z after the first of two steps."""
    scheduler = make_scheduler("ddim", backbone, 2)
    scheduler.timesteps = scheduler.timesteps[:1]
    settings = SamplerSettings(steps=2, guidance_scale=cfg)
    return sample(backbone, PROMPTS[: len(start)], start, settings, guidance, scheduler=scheduler).latents


def lengths(batch: Tensor) -> Tensor:
    return batch.flatten(1).norm(dim=1)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("cfg", [1.0, 4.0])
def test_norms_are_per_sample_and_alpha_is_of_b_samples_not_of_2b(
    count: int, cfg: float, tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    # Gradients of very unequal length: a norm over the batch, or over both halves, would show.
    uneven = target[:count] * torch.tensor([100.0, 1.0, 0.01])[:count, None, None, None]
    start = start[:count]
    plain = one_step(tiny_backbone, start, None, cfg)
    guided = one_step(tiny_backbone, start, SketchGuidance(predictor, uneven, 0.7, 0.2), cfg)
    assert torch.allclose(lengths(guided - plain), 0.7 * lengths(plain - start), rtol=1e-3)


def test_no_gradient_passes_through_the_unconditional_half(
    tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    empty = tiny_backbone.encode_prompts([""])["embeddings"]
    passes: list[tuple[bool, bool, bool]] = []

    def watch(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        latents, conditioning = inputs[0], inputs[2]
        passes.append(
            (bool(torch.equal(conditioning[:1], empty)), torch.is_grad_enabled(), bool(latents.requires_grad))
        )

    handle = tiny_backbone.denoiser.register_forward_pre_hook(watch)
    try:
        sample(tiny_backbone, PROMPTS, start, SETTINGS, SketchGuidance(predictor, target, 1.0, 0.2))
    finally:
        handle.remove()
    # Guided: the captioned pass has a graph, the empty one none; then a plain step with both.
    assert passes == [(False, True, True), (True, False, False), (True, False, False)]


def test_the_shift_does_not_turn_with_the_weight_of_the_unconditional_half(
    tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    guidance = SketchGuidance(predictor, target, 1.0, 0.2)
    ways = [
        one_step(tiny_backbone, start, guidance, cfg) - one_step(tiny_backbone, start, None, cfg)
        for cfg in (1.0, 2.0, 8.0)
    ]
    for other in ways[1:]:
        cosine = torch.cosine_similarity(ways[0].flatten(1), other.flatten(1))
        assert torch.allclose(cosine, torch.ones(3), atol=1e-4)


def test_a_predictor_in_training_mode_is_refused(
    tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    training = copy.deepcopy(predictor).train()
    with pytest.raises(LepbenchError, match=r"the predictor is in training mode; call its eval\(\)"):
        sample(tiny_backbone, PROMPTS, start, SETTINGS, SketchGuidance(training, target, 1.0, 0.2))


def test_batchnorm_is_in_eval_mode_and_learns_nothing(
    tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    before = {name: value.clone() for name, value in predictor.state_dict().items()}
    sample(tiny_backbone, PROMPTS, start, SETTINGS, SketchGuidance(predictor, target, 1.0, 0.0))
    assert all(torch.equal(value, before[name]) for name, value in predictor.state_dict().items())


@pytest.mark.parametrize("inverted", [False, True])
def test_a_sketch_enters_the_vae_as_plus_one_on_strokes_and_minus_one_elsewhere(
    inverted: bool, tiny_backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    grey = np.full((64, 64), 255, np.uint8)
    grey[20:44, 30] = 0
    strokes = extract_strokes(255 - grey if inverted else grey).strokes
    seen: list[Tensor] = []
    encode = tiny_backbone.vae.encode

    def watched(pictures: Tensor) -> Any:
        seen.append(pictures)
        return encode(pictures)

    monkeypatch.setattr(tiny_backbone.vae, "encode", watched)
    tiny_backbone.encode_edges(torch.from_numpy(strokes)[None])
    expected = torch.from_numpy(np.where(grey == 0, 1.0, -1.0)).float()
    assert torch.equal(seen[0], expected.expand(1, 3, 64, 64))


def test_nothing_is_derived_from_the_initial_noise(
    tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    # From any latent on, what follows depends on that latent alone: a run begun there goes the same way.
    guidance = SketchGuidance(predictor, target, 1.0, 0.0)
    settings = SamplerSettings(steps=4)
    whole = sample(tiny_backbone, PROMPTS, start, settings, guidance).latents
    first, rest = (make_scheduler("ddim", tiny_backbone, 4) for _ in range(2))
    first.timesteps, rest.timesteps = first.timesteps[:2], rest.timesteps[2:]
    half = sample(tiny_backbone, PROMPTS, start, settings, guidance, scheduler=first).latents
    again = sample(tiny_backbone, PROMPTS, half, settings, guidance, scheduler=rest).latents
    assert torch.allclose(again, whole, atol=1e-5)


class Failing(MlpPredictor):
    """Fails when it is read."""

    def forward(
        self,
        features: Mapping[str, Tensor],
        timesteps: Tensor,
        size: tuple[int, int],
        noise: Tensor | None = None,
    ) -> Tensor:
        raise RuntimeError("no")


def test_no_hook_and_no_switched_gradient_is_left_behind(
    tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    failing = Failing(predictor.config).eval().requires_grad_(False)
    for reader in (predictor, failing):
        try:
            sample(tiny_backbone, PROMPTS, start, SETTINGS, SketchGuidance(reader, target, 1.0, 0.0))
        except RuntimeError:
            assert reader is failing
        modules = list(tiny_backbone.denoiser.modules())
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in modules)
        assert torch.is_grad_enabled()


def test_batches_that_are_not_square_are_guided_each_by_its_own_sketch(
    tiny_backbone: Backbone, predictor: MlpPredictor
) -> None:
    shape = (4, 8, 24)
    start = torch.stack([draw_noise(i, shape) for i in range(3)])
    target = torch.stack([draw_noise(10 + i, shape) for i in range(3)])
    settings = SamplerSettings(steps=3)
    whole = sample(
        tiny_backbone, PROMPTS, start, settings, SketchGuidance(predictor, target, 1.0, 0.2)
    ).latents
    assert whole.shape == (3, *shape)
    for i in range(3):
        rows = slice(i, i + 1)
        guidance = SketchGuidance(predictor, target[rows], 1.0, 0.2)
        alone = sample(tiny_backbone, PROMPTS[rows], start[rows], settings, guidance).latents
        assert torch.allclose(alone, whole[rows], atol=2e-4, rtol=1e-4)
