"""Sketches as images, arrays or tensors, converted to strokes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from lepbench.errors import LepbenchError
from lepbench.guidance.sketch import extract_strokes, fit_strokes, read_sketch
from lepbench.images import Pixels, to_rgb

SketchLike = str | Path | Image.Image | NDArray[Any] | Tensor
"""A file, or lines in any colours: [H, W] or [H, W, 3] (tensors: [3, H, W]), or bool [H, W] of strokes."""
SINGLE = (str, Path, Image.Image, np.ndarray, Tensor)


def read_strokes(
    sketch: SketchLike | Sequence[SketchLike], count: int, size: tuple[int, int]
) -> NDArray[np.bool_]:
    """`count` sketches as strokes bool [count, height, width], fitted to `size`; a single one is repeated.

    Raises:
        LepbenchError: there are fewer or more, one has no strokes, or is nothing that can be read as lines.
    """
    drawings: list[Any] = [sketch]
    if isinstance(sketch, Iterable) and not isinstance(sketch, SINGLE):
        drawings = list(sketch)
    if len(drawings) not in (1, count):
        prompts = "1 prompt" if count == 1 else f"{count} prompts"
        raise LepbenchError(f"{len(drawings)} sketches for {prompts}", "give one, or one a prompt")
    strokes = [fit_strokes(_strokes(drawing), size) for drawing in drawings]
    return np.stack(strokes * (count // len(strokes)))


def _strokes(drawing: SketchLike) -> NDArray[np.bool_]:
    if not isinstance(drawing, SINGLE):
        raise LepbenchError(
            f"{type(drawing).__name__} is no sketch", "give a path, a PIL image, an array or a tensor"
        )
    if isinstance(drawing, str | Path):
        return read_sketch(Path(drawing)).strokes
    if isinstance(drawing, Image.Image):
        return extract_strokes(np.asarray(to_rgb(drawing).convert("L"))).strokes
    if isinstance(drawing, Tensor):
        # NumPy has fewer float types than torch.
        array = drawing.detach().cpu().float() if drawing.is_floating_point() else drawing.cpu()
        drawing = (array.movedim(0, -1) if array.ndim == 3 else array).numpy()
    if drawing.ndim == 3 and drawing.shape[2] == 1:
        drawing = drawing[..., 0]
    if drawing.ndim not in (2, 3) or (drawing.ndim == 3 and drawing.shape[2] not in (3, 4)):
        raise LepbenchError(
            f"a sketch of shape {drawing.shape}",
            "give [H, W] or [H, W, 3], a tensor [H, W] or [3, H, W]; several as a list",
        )
    if drawing.dtype == bool and drawing.ndim == 2:
        if not drawing.any():
            raise LepbenchError("the sketch holds no strokes: it is false everywhere", "true is a stroke")
        return drawing
    # A mask of zeros and ones as bytes has no contrast to the eye.
    grey = drawing.dtype == np.uint8 and int(drawing.max(initial=0)) > 1
    return _strokes(Image.fromarray(drawing if grey else _stretched(drawing)))


def _stretched(drawing: NDArray[Any]) -> Pixels:
    """Any value range is accepted: only the contrast of lines and background matters."""
    values = np.asarray(drawing, dtype=np.float64)
    if not values.size or not np.isfinite(values).all():
        raise LepbenchError(
            f"a sketch of shape {drawing.shape} has no or no finite pixels", "check the array"
        )
    low, high = float(values.min()), float(values.max())
    return np.round((values - low) / max(high - low, 1e-12) * 255).astype(np.uint8)
