"""Does the object fill the place it should? Overlap of masks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lepbench.metrics.edges import as_maps, count


def mask_iou(predicted: Tensor, target: Tensor) -> NDArray[np.float64]:
    """Intersection over union of each pair of masks; 1 where both are empty.

    Args:
        predicted: bool [B, H, W].
        target: bool [B, H, W].

    Returns:
        float64 [B] in [0, 1].

    Raises:
        ValueError: the masks differ in shape or are not bool [B, H, W].
    """
    first, second = as_maps(predicted), as_maps(target)
    if first.shape != second.shape:
        raise ValueError(f"masks differ in shape: {first.shape} and {second.shape}")
    union = count(first | second)
    return np.where(union == 0, 1.0, count(first & second) / np.maximum(union, 1))
