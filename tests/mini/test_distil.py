"""The student's steps are those of diffusers, it starts as its teacher, and its folder is a backbone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from diffusers import DDIMScheduler
from torch import Tensor

from lepbench.backbones import load_backbone
from lepbench.guidance import SamplerSettings, sample
from lepbench.mini.distil import guide, name_timesteps, take_steps
from lepbench.mini.stages import train
from lepbench.mini.unet import scheduler
from lepbench.seeds import draw_noise

TINY = """
train: {count: 8}
steps: 4
substeps: 1
guidance_scale: 1.0
rank: 2
layers: [to_q, conv1]
fit: {steps: 2, batch: 3, learning_rate: 1.0e-3, warmup: 1, precision: fp32, checkpoint_every: 1}
"""


def predict(latents: Tensor, times: Tensor) -> Tensor:
    """Some function of latents and timesteps."""
    return torch.sin(latents * 3 + times.view(-1, 1, 1, 1) / 100)


@pytest.mark.parametrize("steps", [1, 2, 4, 5, 8, 50])
def test_steps_are_those_of_ddim_with_trailing_timesteps(steps: int) -> None:
    reference = DDIMScheduler.from_config(scheduler().config, timestep_spacing="trailing")
    reference.set_timesteps(steps)
    alphas, latents = reference.alphas_cumprod, torch.randn(2, 4, 3, 3)
    expected = latents
    for timestep in reference.timesteps:
        noise = predict(expected, timestep.expand(2))
        expected = reference.step(noise, timestep, expected).prev_sample
    found = latents
    for place in range(steps):
        first, last = name_timesteps(torch.tensor([place, place]), steps, 1000)
        assert first.tolist() == [int(reference.timesteps[place])] * 2
        found = take_steps(predict, found, alphas, first, last, 1)
    assert torch.allclose(found, expected, atol=1e-4)


def test_substeps_divide_a_step() -> None:
    alphas, latents = scheduler().alphas_cumprod, torch.randn(1, 4, 3, 3)
    first, last = name_timesteps(torch.tensor([0]), 4, 1000)
    whole = take_steps(predict, latents, alphas, first, last, 2)
    # Half way from 999 to 749.
    half = take_steps(predict, latents, alphas, first, torch.tensor([874]), 1)
    assert torch.allclose(take_steps(predict, half, alphas, torch.tensor([874]), last, 1), whole, atol=1e-5)


def test_guidance_is_classifier_free() -> None:
    class Network:
        def __call__(self, latents: Tensor, times: Tensor, states: Tensor) -> object:
            return type("Output", (), {"sample": latents * states.mean((1, 2)).view(-1, 1, 1, 1)})

    states, empty = torch.full((2, 3, 5), 2.0), torch.full((3, 5), 0.5)
    latents = torch.randn(2, 4, 3, 3)
    found = guide(Network(), states, empty, 4.0)(latents, torch.tensor([1, 1]))
    assert torch.allclose(found, latents * (0.5 + 4 * 1.5))


@pytest.mark.slow
def test_a_student_is_a_backbone_that_starts_as_its_teacher(tmp_path: Path) -> None:
    recipe = tmp_path / "live.yaml"
    recipe.write_text(TINY)
    folder = train("live", tmp_path / "models", recipe)
    curve = (tmp_path / "models" / "live" / "progress.json").read_text()
    assert json.loads(curve) == {"step": 2, "of": 2}
    figures = json.loads((folder / "metrics.json").read_text())
    assert figures["teacher_passes"] == 2 * 2 * 3
    student, teacher = load_backbone(folder), load_backbone("mini@1")
    assert student.scheduler["timestep_spacing"] == "trailing"
    settings = SamplerSettings(steps=4, guidance_scale=1.0, timestep_spacing="trailing")
    noise = draw_noise(0, (4, 16, 16))[None]
    # Its teacher's own steps were its target, so that two steps of training leave it where it was.
    drawn, expected = (sample(one, ["a red fish"], noise, settings).latents for one in (student, teacher))
    assert torch.allclose(drawn, expected, atol=0.05)
    assert not any(path.suffix == ".md" for path in folder.iterdir())
