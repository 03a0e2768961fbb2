"""Sketches as images, arrays or tensors, converted to strokes."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from lepbench.errors import LepbenchError
from lepbench.guidance.sketch import Sketch, fit_sketch, read_image, read_sketch
from lepbench.images import Pixels

SketchLike = str | Path | Image.Image | NDArray[Any] | Tensor
"""A file, or lines in any colours: [H, W] or [H, W, 3] (tensors: [3, H, W]), or bool [H, W] of strokes."""
STROKES = "strokes"
"""Polarity of a bool array."""
THINNED = "the sketch's thick strokes were redrawn as thin lines; thin=False keeps them"
SINGLE = (str, Path, Image.Image, np.ndarray, Tensor)


def read_strokes(
    sketch: SketchLike | Sequence[SketchLike], count: int, size: tuple[int, int], cell: int | None = None
) -> NDArray[np.bool_]:
    """`count` sketches as strokes bool [count, height, width], fitted to `size`; a single one is repeated.

    Warns where a reading is doubtful, and where thick strokes were redrawn as thin lines.

    Args:
        cell: as of `read_sketch`.

    Raises:
        LepbenchError: there are fewer or more, one has no strokes, or is nothing that can be read as lines.
    """
    drawings: list[Any] = [sketch]
    if isinstance(sketch, Iterable) and not isinstance(sketch, SINGLE):
        drawings = list(sketch)
    if len(drawings) not in (1, count):
        prompts = "1 prompt" if count == 1 else f"{count} prompts"
        raise LepbenchError(f"{len(drawings)} sketches for {prompts}", "give one, or one a prompt")
    read = [fit_sketch(_read(drawing), size, cell) for drawing in drawings]
    for note in dict.fromkeys(note for one in read for note in list_notes(one)):
        warnings.warn(note, stacklevel=3)
    return np.stack([one.strokes for one in read] * (count // len(read)))


def list_notes(sketch: Sketch) -> tuple[str, ...]:
    """What a caller should know about the reading of a sketch, a line each."""
    return (*sketch.notes, *((THINNED,) if sketch.thinned else ()))


def _read(drawing: SketchLike) -> Sketch:
    if not isinstance(drawing, SINGLE):
        raise LepbenchError(
            f"{type(drawing).__name__} is no sketch", "give a path, a PIL image, an array or a tensor"
        )
    if isinstance(drawing, str | Path):
        return read_sketch(Path(drawing))
    if isinstance(drawing, Image.Image):
        return read_image(drawing)
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
        return Sketch(drawing, STROKES)
    # A mask of zeros and ones as bytes has no contrast to the eye.
    grey = drawing.dtype == np.uint8 and int(drawing.max(initial=0)) > 1
    return _read(Image.fromarray(drawing if grey else _stretched(drawing)))


def _stretched(drawing: NDArray[Any]) -> Pixels:
    """Any value range is accepted: only the contrast of lines and background matters."""
    values = np.asarray(drawing, dtype=np.float64)
    if not values.size or not np.isfinite(values).all():
        raise LepbenchError(
            f"a sketch of shape {drawing.shape} has no or no finite pixels", "check the array"
        )
    low, high = float(values.min()), float(values.max())
    return np.round((values - low) / max(high - low, 1e-12) * 255).astype(np.uint8)
