"""Diversity among the samples of one item, from their features."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from lepbench.metrics.features import Features, as_matrix
from lepbench.metrics.kid import Array, item_index

UNKNOWN = np.nan
"""What an item of one sample has."""


def pairwise_distances(features: Features, items: ArrayLike) -> Array:
    """Mean cosine distance of the pairs of an item's samples: [G], in [0, 2], in the order of sorted labels.

    1 - cos of two features: 0 where they have one direction, 1 where they are orthogonal. The mean over
    different pairs does not depend on their number in expectation. NaN for an item of one sample.

    Args:
        features: [N, D], of any length but 0.
        items: [N] labels of the items, any type.

    Raises:
        ValueError: labels do not fit, or a feature is not finite or of length 0.
    """
    return _of_items(features, items, _mean_distance)


def vendi_scores(features: Features, items: ArrayLike) -> Array:
    """Vendi score of an item's S samples: [G], from 1 (all alike) to S, in the order of sorted labels.

    exp of the entropy of the eigenvalues of K / S, K the cosines of all pairs: the effective number of
    different samples. It grows with S: compare figures of equal S only. NaN for an item of one sample, whose
    score is 1 whatever it shows.

    Args, Raises: as `pairwise_distances`.

    Source: Friedman and Dieng, "The Vendi score: a diversity evaluation metric for machine learning", 2023,
    definition 3.1.
    """
    return _of_items(features, items, _vendi)


def _of_items(features: Features, items: ArrayLike, figure: Callable[[Array], float]) -> Array:
    """A figure of the cosines [S, S] of each item's samples; NaN where there is one sample."""
    matrix = as_matrix(features)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    if not lengths.all():
        raise ValueError("a feature has length 0 and so no direction")
    index = item_index(len(matrix), items)
    order = np.argsort(index, kind="stable")
    unit, ends = (matrix / lengths)[order], np.cumsum(np.bincount(index))
    parts = (unit[start:end] for start, end in pairwise([0, *ends]))
    return np.array([figure(part @ part.T) if len(part) > 1 else UNKNOWN for part in parts])


def _mean_distance(cosines: Array) -> float:
    pairs = np.triu_indices(len(cosines), 1)
    return float(np.clip(1 - cosines[pairs], 0, 2).mean())


def _vendi(cosines: Array) -> float:
    shares = np.clip(np.linalg.eigvalsh(cosines / len(cosines)), 0, None)
    # Those that are 0 but for rounding add nothing, as x log x does at 0.
    shares = shares[shares > 0] / shares.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))
