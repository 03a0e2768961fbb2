"""Checks of the features that metrics compare."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Features = Tensor | NDArray


def as_matrix(features: Features) -> NDArray[np.float64]:
    """Features as a float64 array [N, D].

    Raises:
        ValueError: they are not a matrix, or hold NaN or infinity.
    """
    array = features.detach().cpu().numpy() if isinstance(features, Tensor) else np.asarray(features)
    if array.ndim != 2:
        raise ValueError(f"expected features [N, D], got {array.shape}")
    finite = np.isfinite(array).all(axis=1)
    if not finite.all():
        raise ValueError(f"features hold NaN or infinity, first in row {int(np.argmin(finite))}")
    return np.asarray(array, dtype=np.float64)


def check_feature_pairs(first: Tensor, second: Tensor) -> None:
    """Refuse what is not two batches of features of one shape [B, D]: a single row would be broadcast.

    Raises:
        ValueError: the shapes differ or are not [B, D], or features hold NaN or infinity.
    """
    if first.shape != second.shape:
        raise ValueError(f"features differ in shape: {tuple(first.shape)} and {tuple(second.shape)}")
    for features in (first, second):
        as_matrix(features)
