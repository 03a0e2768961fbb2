"""The judge's statistics are read whole or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from lepbench.errors import LepbenchError
from lepbench.judges import JudgeStatistics
from lepbench.metrics.frechet import FeatureStatistics, frechet_distance

FEATURES = np.random.default_rng(0).standard_normal((50, 6)) + 3


def saved(path: Path, **changes: np.ndarray | None) -> Path:
    tensors = {
        "mean": FEATURES.mean(axis=0),
        "covariance": np.cov(FEATURES, rowvar=False),
        "features": FEATURES.astype(np.float16),
        **changes,
    }
    save_file({name: value for name, value in tensors.items() if value is not None}, path)
    return path


def test_moments_are_those_that_were_saved(tmp_path: Path) -> None:
    statistics = JudgeStatistics.load(saved(tmp_path / "s.safetensors"))
    np.testing.assert_allclose(statistics.moments.mean, FEATURES.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(statistics.moments.covariance, np.cov(FEATURES, rowvar=False), rtol=1e-9)
    np.testing.assert_allclose(statistics.features, FEATURES, atol=2e-3)
    assert frechet_distance(statistics.moments, FeatureStatistics.of(FEATURES)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mean": np.zeros(5)}, "shapes do not agree"),
        ({"covariance": np.zeros((6, 5))}, "shapes do not agree"),
        ({"features": np.zeros((1, 6))}, r"features have shape \(1, 6\)"),
        ({"features": np.zeros(6)}, r"features have shape \(6,\)"),
        ({"features": None}, "holds no features"),
        ({"covariance": None}, "covariance"),
    ],
)
def test_statistics_that_do_not_fit_are_refused(
    tmp_path: Path, changes: dict[str, np.ndarray | None], message: str
) -> None:
    with pytest.raises(LepbenchError, match=message):
        JudgeStatistics.load(saved(tmp_path / "s.safetensors", **changes))


def test_a_missing_or_damaged_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match="missing file"):
        JudgeStatistics.load(tmp_path / "none.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"no tensors")
    with pytest.raises(LepbenchError, match="is no safetensors file"):
        JudgeStatistics.load(tmp_path / "bad.safetensors")
