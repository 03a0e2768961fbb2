"""Chamfer distance of two edge maps: mean distance to the nearest pixel of the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from torch import Tensor

from lepbench.metrics.edges import as_pair, diagonal


def chamfer_distance(predicted: Tensor, target: Tensor) -> NDArray[np.float64]:
    """Symmetric Chamfer distance: the mean of both directions' mean distance to the nearest pixel.

    Distances are Euclidean, between pixel centres, exact and not squared. Nothing is clipped, so a few stray
    distant pixels have a large weight. `share_of` converts it to a share of the diagonal.

    Args:
        predicted: bool [B, H, W].
        target: bool [B, H, W].

    Returns:
        float64 [B] in pixels; 0 where both maps are empty, the diagonal where only one is.

    Source: Barrow, Tenenbaum, Bolles and Wolf, "Parametric correspondence and chamfer matching", 1977; the
    mean of both directions is the symmetric form usual since.

    Raises:
        ValueError: the maps differ in shape or are not bool [B, H, W].
    """
    pairs = zip(*as_pair(predicted, target), strict=True)
    return np.array([_between(np.argwhere(a), np.argwhere(b), a.shape) for a, b in pairs], dtype=np.float64)


def _between(first: NDArray[np.intp], second: NDArray[np.intp], shape: tuple[int, ...]) -> float:
    """Chamfer distance of two lists of pixels, [N, 2] each, in a map of that shape."""
    if not len(first) or not len(second):
        return diagonal(shape) if len(first) or len(second) else 0.0
    there, back = (np.mean(KDTree(b).query(a)[0]) for a, b in ((first, second), (second, first)))
    return float(there + back) / 2
