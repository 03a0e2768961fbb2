"""A readout head: a bottleneck per tap, a learned weighted average, and convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from lepbench.predictors.base import PREDICTORS, Predictor
from lepbench.predictors.config import PredictorConfig, PredictorOptions
from lepbench.predictors.tap_projection import resize

EMBEDDED = 128
"""Sines and cosines of a timestep."""


class AggregatedOptions(PredictorOptions):
    """The head's options.

    Attributes:
        width: channels every tap is projected to; 96 suits mini, 384 Stable Diffusion.
        head: convolutions at the latent's size before the last.
    """

    name: Literal["aggregated"] = "aggregated"
    width: int = Field(default=96, ge=1)
    head: int = Field(default=2, ge=0, le=64)


class AggregatedConfig(AggregatedOptions, PredictorConfig):
    """The whole head: its shape, and the backbone's side of it."""


@PREDICTORS.register("aggregated")
class AggregatedPredictor(Predictor):
    """Bottlenecks, learned mixing and a small head (the idea of Luo et al., "Readout Guidance", 2024).

    Each tap is standardised, projected to `width` channels and shifted by the timestep's embedding, goes
    through a 3x3 convolution at its own resolution and is resized to the latent. The taps are then averaged
    with weights that sum to 1 and are learned, and the head reads the average.
    """

    options_kind = AggregatedOptions
    config_kind = AggregatedConfig
    config: AggregatedConfig

    def __init__(self, config: AggregatedConfig) -> None:
        super().__init__(config)
        width = config.width
        self.time = nn.Sequential(nn.Linear(EMBEDDED, width), nn.SiLU(), nn.Linear(width, width))
        self.bottlenecks = nn.ModuleList(_Bottleneck(count, width) for count in config.taps.values())
        self.mixing = nn.Parameter(torch.zeros(len(config.taps)))
        layers: list[nn.Module] = []
        for _ in range(config.head):
            layers += [nn.GroupNorm(1, width), nn.Conv2d(width, width, 3, padding=1), nn.SiLU()]
        self.head = nn.Sequential(*layers, nn.Conv2d(width, config.out_channels, 1))

    def forward(
        self,
        features: Mapping[str, Tensor],
        timesteps: Tensor,
        size: tuple[int, int],
        noise: Tensor | None = None,
    ) -> Tensor:
        """As `Predictor.forward`; computes in the precision of its own weights."""
        from diffusers.models.embeddings import get_timestep_embedding

        thousandths = timesteps * (1000 / self.config.train_timesteps)
        shift = self.time(get_timestep_embedding(thousandths, EMBEDDED).to(self.mixing))[:, :, None, None]
        mixed: Tensor | float = 0.0
        taps = zip(self.config.taps, self.bottlenecks, self.mixing.softmax(0), strict=True)
        for position, bottleneck, share in taps:
            local = bottleneck(features[position].to(self.mixing), shift)
            mixed = mixed + share * resize(local, size)
        out: Tensor = self.head(mixed)
        return out


class _Bottleneck(nn.Module):
    """One tap `[B, C, h, w]` to `[B, width, h, w]`, with the embedded timestep."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.standardise = nn.BatchNorm2d(channels, affine=False)
        self.project = nn.Conv2d(channels, width, 1)
        self.mix = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, feature: Tensor, shift: Tensor) -> Tensor:
        local = torch.nn.functional.silu(self.project(self.standardise(feature)) + shift)
        out: Tensor = local + self.mix(local)
        return out
