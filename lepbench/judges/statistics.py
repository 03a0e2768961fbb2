"""The judge's features of true renders that no item shows, as they are kept on disk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lepbench.errors import LepbenchError
from lepbench.metrics.frechet import Gaussian, Moments
from lepbench.metrics.kid import Reference, reference


@dataclass(frozen=True)
class JudgeStatistics:
    """The judge's features of true renders that no item shows.

    Attributes:
        moments: their mean and covariance, for the Frechet distance.
        features: the features themselves, float32 [N, D], for KID.
    """

    moments: Gaussian
    features: NDArray[np.float32]

    @cached_property
    def known(self) -> Reference:
        """The features as `kid` takes them, prepared once: their kernel with themselves is the dear part."""
        return reference(self.features)

    @classmethod
    def load(cls, path: Path) -> JudgeStatistics:
        """Read safetensors with `mean` [D], `covariance` [D, D] (float64) and `features` [N, D].

        Raises:
            LepbenchError: the file is missing or damaged, or the shapes do not agree.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        if not path.is_file():
            raise LepbenchError(f"missing file {path}", "reinstall lepbench")
        try:
            tensors = load_file(path)
            mean, covariance, features = (tensors[key] for key in ("mean", "covariance", "features"))
        except (OSError, SafetensorError, KeyError) as error:
            raise LepbenchError(f"{path} holds no judge statistics: {error}", "reinstall lepbench") from error
        n, width = features.shape if features.ndim == 2 else (0, 0)
        if n < 2 or mean.shape != (width,) or covariance.shape != (width, width):
            shapes = f"mean {mean.shape}, covariance {covariance.shape}, features {features.shape}"
            raise LepbenchError(f"{path}: shapes do not agree: {shapes}", "reinstall lepbench")
        moments = Moments(mean.astype(np.float64), covariance.astype(np.float64))
        return cls(moments, features.astype(np.float32))
