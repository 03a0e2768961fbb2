"""What a preset costs: passes and gradients of a picture, and operations on Stable Diffusion 1.5's shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lepbench.backbones.backbone import Backbone
from lepbench.backbones.conditioning import Conditioning
from lepbench.backbones.family import TextParts
from lepbench.backbones.known import load_known
from lepbench.backbones.sd import StableDiffusion
from lepbench.guidance.gradient import GuidanceStep
from lepbench.guidance.guidance_schedule import GuidanceSchedule
from lepbench.guidance.presets import Preset
from lepbench.guidance.sampler import sample
from lepbench.guidance.settings import SamplerSettings

SHAPE = "sd15"
FORWARD, BACKWARD = 0.803, 0.661
"""TFLOP of a pass of its U-Net at 512 px, and of a backward pass from the nine taps to the latent; counted
on the meta device by `benchmarks/floors.py`."""
LITERAL_PASSES, LITERAL_GRADIENTS = 500, 125
"""Of the paper's settings: 250 steps of classifier-free guidance, half of them guided."""
LITERAL_TFLOP = LITERAL_PASSES * FORWARD + LITERAL_GRADIENTS * 2 * BACKWARD
"""Of the paper's settings as public code implements them, with both halves of a step in the graph."""


class PresetCost(NamedTuple):
    """Of one picture under classifier-free guidance.

    Attributes:
        passes: of the denoiser, conditional and unconditional ones apart; those that stop at the last tap are
            counted whole.
        gradients: how many of them have a backward pass.
        tflop: of these on Stable Diffusion 1.5's shape at 512 px, the autoencoder left out.
    """

    passes: int
    gradients: int
    tflop: float

    @property
    def share(self) -> float:
        """How many times less than the paper's settings, implemented literally."""
        return LITERAL_TFLOP / self.tflop


def count_preset_cost(preset: Preset) -> PresetCost:
    """Passes and gradients by a run of the sampler on a denoiser that computes nothing.

    Raises:
        LepbenchError: the preset's scheduler does not fit Stable Diffusion 1.5.
    """
    family = _NoUNet()
    backbone = _make_backbone(family)
    steering = preset.steering()
    schedule = {key: value for key, value in steering.items() if key in GuidanceSchedule.model_fields}
    guidance = _NoGradient(preset.scale, preset.stop, GuidanceSchedule.model_validate(schedule))
    settings = SamplerSettings.model_validate(preset.sampler())
    noise = torch.zeros(1, 4, 8, 8)
    sample(backbone, [""], noise, settings, guidance=guidance, generators=[torch.Generator()])
    passes, gradients = family.passes + guidance.gradients, guidance.gradients
    return PresetCost(passes, gradients, passes * FORWARD + gradients * BACKWARD)


def _make_backbone(family: _NoUNet) -> Backbone:
    """Configurations of Stable Diffusion 1.5 without a network."""
    known, device = load_known()[SHAPE], torch.device("cpu")
    return Backbone(
        name=SHAPE,
        folder=Path(),
        family=family,
        denoiser=SimpleNamespace(config=known.denoiser),
        vae=SimpleNamespace(config=known.vae),
        text=TextParts({}, {}, {}, denoiser=known.denoiser, device=device),
        # As its pipeline sets it where a config does not.
        scheduler={"steps_offset": 1, **known.scheduler},
        taps=(),
        device=device,
        dtype=torch.float32,
    )


class _NoUNet(StableDiffusion):
    """Counts passes, and predicts zeros."""

    def __init__(self) -> None:
        super().__init__()
        self.passes = 0

    def conditions(
        self, text: TextParts, prompts: Sequence[str], scale: float
    ) -> tuple[Conditioning, Conditioning | None]:
        return self.blank(text.denoiser), self.blank(text.denoiser)

    def run(self, denoiser: Any, latents: Tensor, *rest: Any, **options: Any) -> Tensor:
        self.passes += len(latents)
        return torch.zeros_like(latents)


@dataclass
class _NoGradient:
    """Counts gradients, which are zero; each stands for one pass."""

    scale: float
    stop: float
    schedule: GuidanceSchedule
    gradients: int = 0

    def step(
        self,
        backbone: Backbone,
        z: Tensor,
        timestep: Tensor,
        conditioning: Conditioning,
        needs_output: bool = True,
    ) -> GuidanceStep:
        self.gradients += 1
        return GuidanceStep(torch.zeros_like(z), None, torch.zeros_like(z))

    def check(self, noise: Tensor) -> None:
        """Fits everything."""
