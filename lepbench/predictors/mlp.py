"""The paper's latent edge predictor: an MLP applied to every pixel of the latent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from lepbench.predictors.base import PREDICTORS
from lepbench.predictors.config import PredictorConfig, PredictorOptions
from lepbench.predictors.tap_projection import SlicedPredictor

WAVES = 9
"""Sine encodings of every channel of the noise map; their wavelengths are 1, 2, 4, ... latent units."""


class MlpOptions(PredictorOptions):
    """The MLP's options.

    Attributes:
        hidden: widths of the hidden layers; the paper's are 512, 256, 128, 64.
        time: how the timestep enters. `scalar` is one more input, t / T_train, as in the paper's figure;
            `noise-map` is the noise the model sees in the latent, with its sine encodings: ten inputs a
            latent channel, as in re-implementations.
    """

    name: Literal["mlp"] = "mlp"
    hidden: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(256, 128, 64), min_length=1, max_length=64
    )
    time: Literal["scalar", "noise-map"] = "scalar"


class MlpConfig(MlpOptions, PredictorConfig):
    """Full configuration of the MLP: its options and the backbone's properties."""


@PREDICTORS.register("mlp")
class MlpPredictor(SlicedPredictor):
    """Taps resized to the latent and concatenated, through linear layers, ReLU and BatchNorm (Voynov et al.).

    The concatenation is never materialised; see `SlicedPredictor`.
    """

    options_kind = MlpOptions
    config_kind = MlpConfig
    config: MlpConfig

    def __init__(self, config: MlpConfig) -> None:
        first = config.hidden[0]
        super().__init__(config, first)
        self.time: nn.Linear | nn.Conv2d
        if config.time == "scalar":
            self.time = nn.Linear(1, first)
        else:
            self.time = nn.Conv2d((1 + WAVES) * config.out_channels, first, 1)
        layers: list[nn.Module] = [nn.ReLU(), nn.BatchNorm2d(first)]
        for before, after in pairwise(config.hidden):
            layers += [nn.Conv2d(before, after, 1), nn.ReLU(), nn.BatchNorm2d(after)]
        self.rest = nn.Sequential(*layers, nn.Conv2d(config.hidden[-1], config.out_channels, 1))
        self._initialise_first_layer()

    def _initialise_first_layer(self) -> None:
        """Initialise the slices as parts of one layer, by its whole fan-in, not that of each tap."""
        bound = (sum(self.config.taps.values()) + self.time.weight.shape[1]) ** -0.5
        for parameter in (*self.slices.parameters(), *self.time.parameters()):
            nn.init.uniform_(parameter, -bound, bound)

    @property
    def reads_noise(self) -> bool:
        return self.config.time == "noise-map"

    def forward(
        self,
        features: Mapping[str, Tensor],
        timesteps: Tensor,
        size: tuple[int, int],
        noise: Tensor | None = None,
    ) -> Tensor:
        """As `Predictor.forward`; computes in the precision of its own weights.

        Raises:
            ValueError: it reads the noise map and got none.
        """
        out: Tensor = self.rest(self.add_slices(self._time(timesteps, noise), features, size))
        return out

    def _time(self, timesteps: Tensor, noise: Tensor | None) -> Tensor:
        """What the timestep, or the noise map, adds to the first layer: `[B, first, 1 or h, 1 or w]`."""
        weight = self.time.weight
        if not self.reads_noise:
            scalar: Tensor = self.time((timesteps.to(weight) / self.config.train_timesteps).unsqueeze(1))
            return scalar[:, :, None, None]
        if noise is None:
            raise ValueError("this predictor reads the noise map: pass 'noise'")
        encoded: Tensor = self.time(with_waves(noise.to(weight)))
        return encoded


def with_waves(noise: Tensor) -> Tensor:
    """`[B, C, h, w]` and `sin(2 pi noise / 2^k)` for k = 0 ... 8, along the channels: `[B, 10 C, h, w]`."""
    return torch.cat([noise, *(torch.sin(2 * math.pi / 2**k * noise) for k in range(WAVES))], dim=1)
