"""Agreement of image and caption in a CLIP model's embedding space."""

from __future__ import annotations

import numpy as np
import torch.nn.functional as F
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from lepbench.metrics.features import check_feature_pairs


def cosine(image_features: Tensor, text_features: Tensor) -> Tensor:
    """Cosine of each pair of features: [B, D] twice to float32 [B] in [-1, 1]; no scale, no clamp.

    Raises:
        ValueError: they are not [B, D] of one shape, or hold NaN or infinity.
    """
    check_feature_pairs(image_features, text_features)
    return F.cosine_similarity(image_features.float(), text_features.float(), dim=-1)


def clip_score(image_features: Tensor, text_features: Tensor) -> Tensor:
    """`max(100 cosine, 0)` of each pair: [B, D] twice to float32 [B] in [0, 100]. For comparison only.

    The metric commonly published as CLIP score; `cosine` is ours. Each pair is clamped, as defined; the
    class of torchmetrics clamps only the mean, which differs where a cosine is negative.

    Source: Hessel et al., "CLIPScore: a reference-free evaluation metric for image captioning", 2021, with
    100 in place of their weight 2.5, as in torchmetrics.
    """
    return (100 * cosine(image_features, text_features)).clamp_min(0)


def clip_skill(x: ArrayLike, wrong: ArrayLike, real: ArrayLike) -> NDArray[np.float64]:
    """(mean x - mean wrong) / (mean real - mean wrong): 0 for a wrong caption, 1 for real images.

    Args:
        x: similarity of each scored picture with its own caption, [..., N].
        wrong: of each real picture with another item's caption, [..., N].
        real: of each real picture with its own caption, [..., N].

    Returns:
        float64 [...], NaN or infinite where real and wrong do not differ.
    """
    return skill_of_means(
        np.stack([np.asarray(v, dtype=np.float64).mean(axis=-1) for v in (x, wrong, real)], axis=-1)
    )


def skill_of_means(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """`clip_skill` of means (x, wrong, real) in the last axis, the form `bootstrap` takes."""
    x, wrong, real = np.moveaxis(np.asarray(means, dtype=np.float64), -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((x - wrong) / (real - wrong))
