"""Common parts of diffusion transformers: image tokens, and taps among blocks of one width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from lepbench.backbones.family import ComponentConfig, Family, Size

TAPS = 9
"""Number of taps of a transformer: that of the paper's U-Net."""


TRAIN_TIMESTEPS = 1000
"""T_train of those that take t / T_train."""


def spread_taps(blocks: Sequence[str]) -> tuple[str, ...]:
    """The last block of each of nine nearly equal groups of blocks; all blocks if there are fewer."""
    count = min(TAPS, len(blocks))
    return tuple(blocks[(part + 1) * len(blocks) // count - 1] for part in range(count))


class TransformerFamily(Family):
    """Pipelines whose denoiser splits the latent into 2 x 2 patches as tokens, row by row.

    Attributes:
        even_sigmas: whether the pipeline asks its scheduler for evenly spread sigmas (`set_sigmas`).
    """

    denoiser = "transformer"
    member = -1
    patch = 2
    even_sigmas = False

    def positions(self, config: ComponentConfig) -> tuple[str, ...]:
        return spread_taps([f"transformer_blocks[{i}]" for i in range(config["num_layers"])])

    def fold(self, output: Any, latent: Size, config: ComponentConfig) -> Tensor:
        """Tokens `[B, text + image, channels]` as a map of image tokens, `[B, channels, h / 2, w / 2]`."""
        tokens = super().fold(output, latent, config)
        height, width = latent[0] // self.patch, latent[1] // self.patch
        return fold_tokens(tokens[:, -height * width :], height, width)

    def count_tokens(self, latent: Size) -> int:
        """Image tokens of a latent."""
        return (latent[0] // self.patch) * (latent[1] // self.patch)

    def schedule(self, scheduler: Any, steps: int, latent: Size) -> dict[str, Any]:
        if self.even_sigmas:
            return set_sigmas(scheduler, steps, self.count_tokens(latent))
        return super().schedule(scheduler, steps, latent)

    def size_multiple(self, config: ComponentConfig) -> int:
        return self.patch


def pack_latents(latents: Tensor, patch: int) -> Tensor:
    """Latents `[B, C, h, w]` as tokens, one a patch, row by row, channels outermost inside a patch."""
    return F.pixel_unshuffle(latents, patch).flatten(2).transpose(1, 2)


def unpack_tokens(tokens: Tensor, height: int, width: int, patch: int) -> Tensor:
    """The reverse of `pack_latents`, for `height` rows of `width` patches."""
    return F.pixel_shuffle(fold_tokens(tokens, height, width), patch)


def fold_tokens(tokens: Tensor, height: int, width: int) -> Tensor:
    """Tokens `[B, height * width, channels]`, row by row, as a map `[B, channels, height, width]`."""
    maps = tokens.transpose(1, 2).reshape(len(tokens), tokens.shape[2], height, width)
    # For a single sample the view has strides with which torch's CPU batch norm gives wrong gradients.
    return maps.contiguous()


def compute_resolution_shift(scheduler: Any, tokens: int) -> dict[str, Any]:
    """Timestep shift `mu` of dynamic shifting: linear in the number of image tokens.

    Esser et al., "Scaling Rectified Flow Transformers", 2024, section 5.3.2, as the schedulers' configs
    parametrise it.
    """
    config = scheduler.config
    if not config.get("use_dynamic_shifting"):
        return {}
    slope = (config.max_shift - config.base_shift) / (config.max_image_seq_len - config.base_image_seq_len)
    return {"mu": config.base_shift + slope * (tokens - config.base_image_seq_len)}


def set_sigmas(scheduler: Any, steps: int, tokens: int) -> dict[str, Any]:
    """Arguments of `set_timesteps` for sigmas evenly spread from 1 to 1 / `steps`, before any shift.

    A solver that spreads sigmas of its own is left to it.

    Args:
        tokens: number of image tokens, for dynamic shifting.
    """
    shift = compute_resolution_shift(scheduler, tokens)
    if scheduler.config.get("use_flow_sigmas"):
        return {"num_inference_steps": steps, **shift}
    return {"sigmas": np.linspace(1.0, 1 / steps, steps), **shift}
