"""Sketches and their weights as a guidance loss reads them: latents, and weights of latent pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lepbench.backbones.backbone import Backbone
from lepbench.errors import LepbenchError
from lepbench.guidance.diffusers_backbone import run_in_full
from lepbench.guidance.importance import pool_weights


def encode_strokes(
    backbone: Backbone, strokes: NDArray[np.bool_], weights: Any, each: int
) -> tuple[Tensor, Tensor | None]:
    """Encoded strokes `[P * each, C, h, w]` and latent weights `[P * each, 1, h, w]`; None without weights.

    Args:
        strokes: `[P, H, W]`.
        weights: float `[H, W]` or `[P, H, W]`, or None.
        each: how often each sketch is repeated.

    Raises:
        LepbenchError: the weights are of another shape, negative or not finite.
    """
    with run_in_full(backbone.vae):
        target = backbone.encode_edges(torch.from_numpy(strokes)).repeat_interleave(each, 0)
    if weights is None:
        return target, None
    given = torch.as_tensor(weights)
    if given.shape not in (torch.Size(strokes.shape), torch.Size(strokes.shape[1:])):
        raise LepbenchError(
            f"weights of shape {tuple(given.shape)} for sketches {strokes.shape}", "give one weight a pixel"
        )
    pooled = pool_weights(given.expand(strokes.shape), (target.shape[2], target.shape[3]))
    return target, pooled.repeat_interleave(each, 0)
