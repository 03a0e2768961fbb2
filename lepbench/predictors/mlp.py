"""The paper's latent edge predictor: one small perceptron applied to every pixel of the latent."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from lepbench.config import Config
from lepbench.predictors.base import PREDICTORS, Predictor, PredictorConfig


class MlpOptions(Config):
    """The perceptron's shape, as far as a person chooses it.

    Attributes:
        hidden: widths of the hidden layers; the paper's are 512, 256, 128, 64.
        time: how the timestep enters; `scalar` is one more input, t / T_train, as in the paper's figure.
    """

    name: Literal["mlp"] = "mlp"
    hidden: tuple[Annotated[int, Field(ge=1)], ...] = Field(default=(256, 128, 64), min_length=1)
    time: Literal["scalar"] = "scalar"


class MlpConfig(MlpOptions, PredictorConfig):
    """The whole perceptron: its shape, and the backbone's side of it."""


@PREDICTORS.register("mlp")
class MlpPredictor(Predictor):
    """Taps resized to the latent and concatenated, through linear layers, ReLU and BatchNorm (Voynov et al.).

    The concatenation is never made. A linear layer over concatenated channels is the sum of one linear
    layer a tap, and a linear layer over channels commutes with bilinear resizing, so each tap goes through
    its slice of the first layer at its own resolution, taps of one resolution are summed, and the few sums
    are resized: the same function, cheaper.

    Taps differ in scale by orders of magnitude, so each channel is standardised first (BatchNorm without
    affine terms; while sampling, its running statistics).
    """

    config_kind = MlpConfig
    config: MlpConfig

    def __init__(self, config: MlpConfig) -> None:
        super().__init__(config)
        first = config.hidden[0]
        channels = list(config.taps.values())
        self.standardise = nn.ModuleList(nn.BatchNorm2d(count, affine=False) for count in channels)
        self.slices = nn.ModuleList(nn.Conv2d(count, first, 1, bias=False) for count in channels)
        self.time = nn.Linear(1, first)
        layers: list[nn.Module] = [nn.ReLU(), nn.BatchNorm2d(first)]
        for before, after in pairwise(config.hidden):
            layers += [nn.Conv2d(before, after, 1), nn.ReLU(), nn.BatchNorm2d(after)]
        self.rest = nn.Sequential(*layers, nn.Conv2d(config.hidden[-1], config.out_channels, 1))
        self._initialise_first_layer()

    def _initialise_first_layer(self) -> None:
        """Draw the slices as parts of one layer: bounded by its whole fan-in, not by each tap's own."""
        bound = (sum(self.config.taps.values()) + 1) ** -0.5
        for parameter in (*self.slices.parameters(), *self.time.parameters()):
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, features: Mapping[str, Tensor], timesteps: Tensor, size: tuple[int, int]) -> Tensor:
        """As `Predictor.forward`; computes in the precision of its own weights."""
        weight = self.time.weight
        when = (timesteps.to(weight) / self.config.train_timesteps).unsqueeze(1)
        sums: dict[torch.Size, Tensor] = {}
        for position, standardise, part in zip(self.config.taps, self.standardise, self.slices, strict=True):
            local = part(standardise(features[position].to(weight)))
            side = local.shape[-2:]
            sums[side] = sums[side] + local if side in sums else local
        total: Tensor = self.time(when)[:, :, None, None]
        for local in sums.values():
            total = total + resize(local, size)
        out: Tensor = self.rest(total)
        return out


def resize(features: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear resizing of `[B, C, h, w]` to `size`, pixel centres aligned."""
    if features.shape[-2:] == torch.Size(size):
        return features
    return F.interpolate(features, size=size, mode="bilinear", align_corners=False)
