"""The headline metric: edge alignment times caption fidelity."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lepbench.metrics.clip import skill_of_means


def faithful_f1(f1: ArrayLike, skill: ArrayLike) -> NDArray[np.float64]:
    """Edge F1 times the share of the caption that the picture still shows: f1 * min(max(skill, 0), 1).

    Lines drawn on an image raise the first factor and lower the second; docs/metric-experiments.md has the
    experiment.

    Args:
        f1: mean edge F1 in [0, 1], any shape.
        skill: `clip_skill` of the same samples, of the same shape; clipped, so that no caption score
            compensates lost edges.

    Raises:
        ValueError: the shapes differ.
    """
    edges, captions = np.asarray(f1, dtype=np.float64), np.asarray(skill, dtype=np.float64)
    if edges.shape != captions.shape:
        raise ValueError(f"figures differ in shape: {edges.shape} and {captions.shape}")
    return edges * np.clip(captions, 0.0, 1.0)


def faithful_of_means(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """`faithful_f1` of means (F1, x, wrong, real) in the last axis, the form `bootstrap` takes."""
    return faithful_f1(means[..., 0], skill_of_means(means[..., 1:]))
