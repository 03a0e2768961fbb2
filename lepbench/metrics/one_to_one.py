"""Counts for edge precision and recall with pixels matched one to one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from lepbench.metrics.edges import EdgeCounts, as_pair, check_tolerance, count
from lepbench.metrics.largest import count_largest_pairing


def one_to_one_counts(
    predicted: Tensor, target: Tensor, tolerances: Sequence[float] = (0.0, 1.0, 2.0)
) -> EdgeCounts:
    """Count the pixels of each map that a one-to-one pairing within each Euclidean distance covers.

    As many pixels as possible are paired (`count_largest_pairing`). Never above `edge_counts`, where several
    pixels may match the same one, and equal to it at tolerance 0; double and thick lines are penalised. Both
    sides match the same number of pixels.

    Args:
        predicted: bool [B, H, W].
        target: bool [B, H, W].
        tolerances: distances in pixels, 0 or more; `pixels_of` has them from shares of the diagonal.

    Source: the matching of the BSDS benchmark (Martin, Fowlkes and Malik, 2004), for one annotation and
    without its thinning.

    Raises:
        ValueError: the maps differ in shape or are not bool [B, H, W], or a tolerance is negative.
    """
    first, second = as_pair(predicted, target)
    pairs = zip(first, second, strict=True)
    paired = [[count_largest_pairing(a, b, check_tolerance(t)) for t in tolerances] for a, b in pairs]
    matched = np.array(paired, dtype=np.int64).reshape(len(first), len(tolerances))
    totals = [np.repeat(count(m)[:, None], len(tolerances), axis=1) for m in (first, second)]
    return EdgeCounts(matched, totals[0], matched, totals[1])
