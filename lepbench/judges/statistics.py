"""A judge's features of real pictures, that sets of generated ones are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lepbench.errors import LepbenchError
from lepbench.judges.provenance import read_tensors
from lepbench.metrics.coverage import Neighbourhoods
from lepbench.metrics.coverage import reference as find_neighbours
from lepbench.metrics.frechet import FeatureStatistics, Gaussian, Moments
from lepbench.metrics.kid import Reference, reference


@dataclass(frozen=True)
class JudgeStatistics:
    """A judge's features of real pictures.

    Attributes:
        features: float32 [N, D].
        stored: their mean and covariance where a file has them.
    """

    features: NDArray[np.float32]
    stored: Gaussian | None = None

    @cached_property
    def moments(self) -> Gaussian:
        """Mean and covariance, for the Frechet distance."""
        return self.stored or FeatureStatistics.of(self.features)

    @cached_property
    def known(self) -> Reference:
        """The features as `kid` takes them, prepared once: their kernel with themselves is the dear part."""
        return reference(self.features)

    def find_neighbours(self, k: int) -> Neighbourhoods:
        """The features as `density` and `coverage` take them, prepared once for each k."""
        if k not in self._neighbours:
            self._neighbours[k] = find_neighbours(self.features, k)
        return self._neighbours[k]

    @cached_property
    def _neighbours(self) -> dict[int, Neighbourhoods]:
        return {}

    @classmethod
    def load(cls, path: Path) -> JudgeStatistics:
        """Read safetensors with `features` [N, D], and perhaps `mean` [D] and `covariance` [D, D] (float64).

        Raises:
            LepbenchError: the file is missing or damaged, or the shapes do not agree.
        """
        if not path.is_file():
            raise LepbenchError(f"missing file {path}", "restore it, or make it again")
        tensors = read_tensors(path, "features")
        features = tensors["features"]
        if features.ndim != 2 or len(features) < 2:
            raise LepbenchError(f"{path}: features have shape {features.shape}, not [N, D]", "make it again")
        return cls(features.astype(np.float32), _read_moments(path, tensors))


def _read_moments(path: Path, tensors: dict[str, NDArray[Any]]) -> Gaussian | None:
    if "mean" not in tensors:
        return None
    width = tensors["features"].shape[1]
    mean, covariance = tensors["mean"], tensors.get("covariance", np.empty(0))
    if mean.shape != (width,) or covariance.shape != (width, width):
        shapes = f"mean {mean.shape}, covariance {covariance.shape}, features of {width}"
        raise LepbenchError(f"{path}: shapes do not agree: {shapes}", "make it again")
    return Moments(mean.astype(np.float64), covariance.astype(np.float64))
