"""What code from outside drew, however it is given, as a tensor of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from lepbench.errors import LepbenchError
from lepbench.images import to_rgb, to_tensor

TAKEN = "return a tensor [B, 3, H, W], an array [B, H, W, 3], or PIL images"
LEEWAY = 0.01
"""How far beyond [0, 1] rounding may lead."""


def read_pictures(drawn: Any, count: int, label: str) -> Tensor:
    """What was drawn as float32 [B, 3, H, W] in [0, 1]; NaN stays, which fails a sample by itself.

    Args:
        drawn: a tensor [B, 3, H, W] or an array [B, H, W, 3], float in [0, 1] or uint8; or a sequence of
            such pictures or of PIL images.
        count: pictures that were asked for, B.
        label: what drew them, for the message.

    Raises:
        LepbenchError: it is none of these, of another number, or beyond [0, 1].
    """
    whole = _stack(drawn, label) if isinstance(drawn, list | tuple) else drawn
    if isinstance(whole, np.ndarray):
        pictures = _read_array(whole, label)
    elif isinstance(whole, Tensor):
        pictures = whole.detach().cpu()
    else:
        raise LepbenchError(f"{label} returned {type(drawn).__name__}", TAKEN)
    if pictures.ndim != 4 or pictures.shape[1] != 3:
        raise LepbenchError(f"{label} returned an array of shape {list(whole.shape)}", TAKEN)
    if len(pictures) != count:
        raise LepbenchError(
            f"{label} returned {len(pictures)} pictures for {count} prompts", "return one each"
        )
    return _scale(pictures, label)


def _stack(drawn: Sequence[Any], label: str) -> Any:
    """Pictures of one size and kind as one array or tensor."""
    known = (Image.Image, Tensor, np.ndarray)
    kinds = {next((kind for kind in known if isinstance(one, kind)), None) for one in drawn}
    if len(kinds) != 1 or None in kinds:
        held = ", ".join(sorted({type(one).__name__ for one in drawn})) or "nothing"
        raise LepbenchError(f"{label} returned a {type(drawn).__name__} of {held}", TAKEN)
    if kinds == {Image.Image}:
        drawn = [np.asarray(to_rgb(one)) for one in drawn]
    sizes = {tuple(one.shape) for one in drawn}
    if len(sizes) > 1:
        raise LepbenchError(f"{label} returned pictures of {len(sizes)} sizes", "draw all at one size")
    return torch.stack(list(drawn)) if kinds == {Tensor} else np.stack(drawn)


def _read_array(drawn: np.ndarray, label: str) -> Tensor:
    if drawn.dtype == np.uint8 and drawn.ndim == 4:
        return to_tensor(drawn)
    if not np.issubdtype(drawn.dtype, np.floating):
        raise LepbenchError(f"{label} returned pictures of {drawn.dtype}", "return uint8, or float in [0, 1]")
    pictures = torch.from_numpy(np.ascontiguousarray(drawn, np.float32))
    return pictures.movedim(-1, 1) if pictures.ndim == 4 else pictures


def _scale(pictures: Tensor, label: str) -> Tensor:
    """uint8 divided by 255, float as it is.

    Raises:
        LepbenchError: they are neither, or beyond [0, 1].
    """
    if pictures.dtype == torch.uint8:
        return pictures.float() / 255
    if not pictures.is_floating_point():
        raise LepbenchError(
            f"{label} returned pictures of {pictures.dtype}", "return uint8, or float in [0, 1]"
        )
    pictures = pictures.float()
    known = pictures[pictures.isfinite()]
    if known.numel() and (float(known.min()) < -LEEWAY or float(known.max()) > 1 + LEEWAY):
        raise LepbenchError(
            f"{label} returned values from {float(known.min()):.3g} to {float(known.max()):.3g}",
            "scale pictures to [0, 1]",
        )
    return pictures
