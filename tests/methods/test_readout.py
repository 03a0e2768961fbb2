"""Readout guidance is Adam on the latent before each step, as its authors' code has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from lepbench.backbones import Backbone, load_backbone
from lepbench.backbones.cost import Passes, count_flops, count_passes
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings, sample
from lepbench.guidance.readout import Readout
from lepbench.guidance.schedulers import make_scheduler
from lepbench.methods import ReadoutConfig, Request, UnguidedConfig
from lepbench.methods.base import draw_noise
from lepbench.methods.readout import ReadoutMethod
from lepbench.predictors import PREDICTORS, Predictor

STEPS, SCALE = 3, 4.0


@pytest.fixture(scope="module")
def backbone(tiny_pipeline_folder: Path) -> Backbone:
    return load_backbone(tiny_pipeline_folder)


def make_predictor(backbone: Backbone, channels: int = 4) -> Predictor:
    """A readout head with random weights."""
    kind = PREDICTORS.get("aggregated")
    options = {"taps": backbone.tap_channels, "out_channels": channels, "train_timesteps": 1000, "width": 8}
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return kind(kind.config_kind(**options)).requires_grad_(False).eval()


@pytest.fixture(scope="module")
def folder(backbone: Backbone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("head")
    make_predictor(backbone).save_pretrained(path)
    return path


def asked() -> list[Request]:
    strokes = np.zeros((32, 32), dtype=bool)
    strokes[8:20, 10] = True
    return [Request(f"{seed}.png", "a red fish", strokes, seed) for seed in range(2)]


def draw_literally(backbone: Backbone, readout: Readout, noise: Tensor, name: str) -> Tensor:
    """The authors' loop, spelt out: AdamW on the latent, then a step of the scheduler from there."""
    scheduler = make_scheduler(name, backbone, STEPS)
    prompts = ["a red fish"] * len(noise)
    halves = [half for half in backbone.conditions(prompts, SCALE) if half is not None]
    sizes, taps = (noise.shape[-2], noise.shape[-1]), list(readout.predictor.config.taps)
    latents = noise * scheduler.init_noise_sigma
    for timestep in scheduler.timesteps:
        scale = scheduler.scale_model_input(torch.ones(()), timestep)
        z = (latents * scale).requires_grad_()
        optimiser = torch.optim.AdamW([z], lr=readout.rate, weight_decay=0.0)
        for _ in range(readout.updates if timestep / 1000 > readout.stop else 0):
            loss: Tensor = torch.zeros(())
            for half in halves:
                features = backbone.features(z, timestep, half, taps)
                edges = readout.predictor(features, timestep.expand(len(z)), sizes)
                loss = loss + (edges - readout.target_latents).square().mean(dim=(1, 2, 3)).sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        z = z.detach()
        conditional, empty = (backbone.predict(z, timestep, half) for half in halves)
        noise_pred = empty + SCALE * (conditional - empty)
        latents = scheduler.step(noise_pred, timestep, z / scale).prev_sample
    return latents


@pytest.mark.parametrize("name", ["ddim", "euler"])
@pytest.mark.parametrize("updates", [1, 2])
def test_it_is_the_authors_loop(name: str, updates: int, backbone: Backbone) -> None:
    noise, _ = draw_noise(backbone, asked())
    target = torch.linspace(-1, 1, noise.numel()).reshape(noise.shape)
    readout = Readout(make_predictor(backbone), target, rate=0.1, stop=0.4, updates=updates)
    expected = draw_literally(backbone, readout, noise, name)
    settings = SamplerSettings(steps=STEPS, scheduler=name, guidance_scale=SCALE)
    drawn = sample(backbone, ["a red fish"] * 2, noise, settings, readout=readout).latents
    assert (drawn - expected).abs().max() < 1e-4 * expected.abs().max()
    plain = sample(backbone, ["a red fish"] * 2, noise, settings).latents
    assert (drawn - plain).abs().max() > 0.01


def test_the_first_update_moves_every_value_by_the_rate(backbone: Backbone) -> None:
    noise, _ = draw_noise(backbone, asked())
    readout = Readout(make_predictor(backbone), torch.ones_like(noise), rate=0.03)
    conditioning, empty = backbone.conditions(["a", "b"], SCALE)
    timestep = torch.tensor(700)
    moved = readout.refine(backbone, noise, timestep, conditioning=conditioning, empty=empty) - noise
    assert torch.allclose(moved.abs(), torch.full_like(moved, 0.03), atol=1e-4)
    gradient = readout.gradient(backbone, noise, timestep, conditioning)
    assert empty is not None
    gradient = gradient + readout.gradient(backbone, noise, timestep, empty)
    assert torch.equal(moved.sign(), -gradient.sign())


def test_a_picture_is_its_own_and_its_passes_are_counted(backbone: Backbone, folder: Path) -> None:
    sampler = SamplerSettings(steps=STEPS, guidance_scale=SCALE)
    method = ReadoutConfig(predictor=str(folder), rate=0.1, stop=0.4).build(backbone, sampler)
    assert isinstance(method, ReadoutMethod)
    assert list(method.weights) == ["predictor/predictor.safetensors"]
    with count_passes(backbone.denoiser) as passes:
        both = method.draw(asked())
    # Of t = 667, 334, 1 one is above the stop time; the loss is of both halves.
    assert passes == Passes(plain=2 * 2 * STEPS, steered=2 * 2)
    torch.testing.assert_close(method.draw(asked()[1:])[0], both[1], atol=1e-4, rtol=0)
    plain = UnguidedConfig().build(backbone, sampler).draw(asked())
    assert (both - plain).abs().max() > 1e-3
    whole = count_flops(lambda: method.draw(asked())) / 2e12
    assert method.measure_flops(asked()[0]).per_picture(passes, 2) == pytest.approx(whole, rel=0.01)


def test_without_classifier_free_guidance_one_pass_is_optimised(
    tiny_folder_of: Callable[[str], Path],
) -> None:
    backbone = load_backbone(tiny_folder_of("flux-dev"))
    noise, _ = draw_noise(backbone, asked())
    settings = SamplerSettings(steps=2, scheduler="flow_euler")
    readout = Readout(make_predictor(backbone), torch.ones_like(noise), stop=0)
    with count_passes(backbone.denoiser) as passes:
        sample(backbone, ["a", "b"], noise, settings, readout=readout)
    assert passes == Passes(plain=2 * 2, steered=2 * 2)


def test_sketches_of_another_number_and_no_update_are_one_line(backbone: Backbone) -> None:
    noise, _ = draw_noise(backbone, asked())
    predictor, settings = make_predictor(backbone), SamplerSettings(steps=1)
    with pytest.raises(LepbenchError, match="encode one sketch a sample"):
        sample(backbone, ["a", "b"], noise, settings, readout=Readout(predictor, noise[:1]))
    with pytest.raises(LepbenchError, match="updates is 0: no step would be guided; give at least 1"):
        sample(backbone, ["a", "b"], noise, settings, readout=Readout(predictor, noise, updates=0))
