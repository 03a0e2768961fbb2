"""Zero-shot classification accuracy in the embedding space of any two-tower model."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from lepbench.metrics.features import as_matrix


def class_accuracy(image_features: Tensor, class_features: Tensor, labels: Tensor) -> NDArray[np.bool_]:
    """Whether each picture is nearer, by cosine, to its own class than to any other.

    Args:
        image_features: [N, D], of any length.
        class_features: [C, D], one a class: of its name, or the mean over phrases; of any length.
        labels: integer [N], the true class in 0..C-1.

    Returns:
        bool [N]; its mean is the accuracy. Chance is 1 / C. A tie is given to the class listed first.

    Source: Radford et al., "Learning transferable visual models from natural language supervision", 2021.

    Raises:
        ValueError: the shapes do not fit, features hold NaN or infinity, or a label is no class.
    """
    pictures, classes = (torch.from_numpy(as_matrix(each)) for each in (image_features, class_features))
    true = labels.detach().cpu().numpy()
    if pictures.shape[1] != classes.shape[1]:
        raise ValueError(f"features {tuple(pictures.shape)} and {tuple(classes.shape)} do not fit")
    if true.shape != (len(pictures),) or not np.issubdtype(true.dtype, np.integer):
        raise ValueError(f"expected {len(pictures)} integer labels, got {true.dtype} {true.shape}")
    if len(true) and (true.min() < 0 or true.max() >= len(classes)):
        raise ValueError(f"labels {true.min()} to {true.max()}, but there are {len(classes)} classes")
    # The pictures' own lengths do not move their largest cosine.
    likeness = pictures @ F.normalize(classes, dim=-1).T
    return np.asarray(likeness.numpy().argmax(axis=1) == true)
