"""A small U-Net over the taps; unlike the MLP it has spatial context."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Literal

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from lepbench.predictors.base import PREDICTORS
from lepbench.predictors.config import PredictorConfig, PredictorOptions
from lepbench.predictors.tap_projection import SlicedPredictor

GROUPS = 8
"""Groups of a normalisation at most."""


class UnetOptions(PredictorOptions):
    """The network's options.

    Attributes:
        bottleneck: channels all taps together are projected to; 64 suits mini, 256 Stable Diffusion.
        widths: channels at the latent's resolution, at half of it, and so on.
    """

    name: Literal["unet"] = "unet"
    bottleneck: int = Field(default=64, ge=1)
    widths: tuple[Annotated[int, Field(ge=2, multiple_of=2)], ...] = Field(
        default=(48, 64), min_length=1, max_length=16
    )


class UnetConfig(UnetOptions, PredictorConfig):
    """The whole network: its shape, and the backbone's side of it."""


@PREDICTORS.register("unet")
class UnetPredictor(SlicedPredictor):
    """A linear bottleneck over the concatenated taps, then diffusers' U-Net (the idea of U-Sketch)."""

    options_kind = UnetOptions
    config_kind = UnetConfig
    config: UnetConfig

    def __init__(self, config: UnetConfig) -> None:
        from diffusers import UNet2DModel

        super().__init__(config, config.bottleneck)
        levels = len(config.widths)
        self.net = UNet2DModel(
            in_channels=config.bottleneck,
            out_channels=config.out_channels,
            block_out_channels=config.widths,
            down_block_types=("DownBlock2D",) * levels,
            up_block_types=("UpBlock2D",) * levels,
            layers_per_block=1,
            add_attention=False,
            norm_num_groups=math.gcd(GROUPS, *config.widths),
        )

    def forward(
        self,
        features: Mapping[str, Tensor],
        timesteps: Tensor,
        size: tuple[int, int],
        noise: Tensor | None = None,
    ) -> Tensor:
        """As `Predictor.forward`; computes in the precision of its own weights."""
        nothing = next(self.slices.parameters()).new_zeros(())
        read = self.add_slices(nothing, features, size)
        multiple = 2 ** (len(self.config.widths) - 1)
        height, width = size
        # Sides that are not divisible are padded at the border, and cropped again.
        padded = F.pad(read, (0, -width % multiple, 0, -height % multiple), mode="replicate")
        thousandths = timesteps * (1000 / self.config.train_timesteps)
        out: Tensor = self.net(padded, thousandths, return_dict=False)[0]
        return out[..., :height, :width]
