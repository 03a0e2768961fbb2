"""Sketches as images, arrays or tensors, converted to strokes."""

from __future__ import annotations

from collections.abc import Sequence
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
        LepbenchError: there are fewer or more, or one has no strokes.
    """
    drawings = [sketch] if isinstance(sketch, SINGLE) else list(sketch)
    if len(drawings) not in (1, count):
        raise LepbenchError(f"{len(drawings)} sketches for {count} prompts", "give one, or one a prompt")
    strokes = [fit_strokes(_strokes(drawing), size) for drawing in drawings]
    return np.stack(strokes * (count // len(strokes)))


def _strokes(drawing: SketchLike) -> NDArray[np.bool_]:
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
    if drawing.ndim not in (2, 3):
        raise LepbenchError(f"a sketch of shape {drawing.shape}", "give [H, W] or three channels")
    if drawing.dtype == bool and drawing.ndim == 2:
        return drawing
    return _strokes(Image.fromarray(drawing if drawing.dtype == np.uint8 else _stretched(drawing)))


def _stretched(drawing: NDArray[Any]) -> Pixels:
    """Any value range is accepted: only the contrast of lines and background matters."""
    values = np.asarray(drawing, dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    return np.round((values - low) / max(high - low, 1e-12) * 255).astype(np.uint8)
