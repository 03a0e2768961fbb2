"""Pictures as published networks read them: the resize and the range are part of a judge."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lepbench.images import to_pixels


def to_bytes(images: Tensor) -> Tensor:
    """Pictures [B, 3, H, W] in [0, 1] as the 8 bits a channel that they are stored by, uint8 [B, 3, H, W]."""
    return torch.from_numpy(to_pixels(images)).movedim(-1, 1)


def resize_cleanly(images: Tensor, size: int) -> Tensor:
    """Pictures resized without aliasing and unrounded, as clean-fid does it (Parmar et al., 2022).

    Args:
        images: [B, 3, H, W] in [0, 1].
        size: height and width, in pixels.

    Returns:
        float32 [B, 3, size, size] in [0, 255].
    """
    resize = _make_resizer(size)
    resized = np.stack([resize(pixels) for pixels in to_pixels(images)])
    return torch.from_numpy(resized).movedim(-1, 1).contiguous()


@lru_cache(maxsize=8)
def _make_resizer(size: int) -> Any:
    from cleanfid.resize import make_resizer

    return make_resizer("PIL", False, "bicubic", (size, size))


def normalise(batch: Tensor, mean: Any, deviation: Any) -> Tensor:
    """From [0, 255] to the range that a network was trained on, by its mean and deviation of [0, 1]."""
    centre, spread = (torch.tensor(v, dtype=torch.float32).view(1, 3, 1, 1) for v in (mean, deviation))
    return (batch / 255 - centre) / spread
