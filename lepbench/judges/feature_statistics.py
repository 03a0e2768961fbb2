"""The sums over a set of features, as a file: sets are then compared without their pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lepbench.errors import LepbenchError
from lepbench.files import atomic_path
from lepbench.metrics.frechet import FeatureStatistics
from lepbench.weights_header import read_header


def save_feature_statistics(statistics: FeatureStatistics, path: Path) -> None:
    """Write as safetensors, atomically."""
    from safetensors.numpy import save_file

    tensors = {
        "n": np.array([statistics.n], dtype=np.int64),
        "total": statistics.total,
        "outer": statistics.outer,
    }
    with atomic_path(path) as partial:
        save_file(tensors, partial)


def load_feature_statistics(path: Path) -> FeatureStatistics:
    """Read what `save_feature_statistics` wrote.

    Raises:
        LepbenchError: the file is missing, is not safetensors or holds something else.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    read_header(path, "make it again")
    try:
        tensors = load_file(path)
        n, total, outer = (tensors[name] for name in ("n", "total", "outer"))
    except OSError as error:
        raise LepbenchError(f"cannot read {path}", "check the path") from error
    except (SafetensorError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise LepbenchError(f"{path} holds no feature statistics: {error}", "make it again") from error
    found = [(tensor.dtype, tensor.shape) for tensor in (n, total, outer)]
    if found != [(np.dtype(np.int64), shape) for shape in ((1,), total.shape[:1], (3, *2 * total.shape))]:
        raise LepbenchError(f"{path} holds no feature statistics: {found}", "make it again")
    try:
        return FeatureStatistics(int(n[0]), total, outer)
    except ValueError as error:
        raise LepbenchError(f"{path} holds no feature statistics: {error}", "make it again") from error
