"""Sums over features come back from their file to the bit, and other files are refused."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from lepbench.errors import LepbenchError
from lepbench.judges.feature_statistics import load_feature_statistics, save_feature_statistics
from lepbench.metrics.frechet import FeatureStatistics


def test_save_and_load_keep_every_bit(tmp_path: Path) -> None:
    statistics = FeatureStatistics.of(np.random.default_rng(11).standard_normal((50, 5)).astype(np.float32))
    path = tmp_path / "folder" / "reference.safetensors"
    save_feature_statistics(statistics, path)
    loaded = load_feature_statistics(path)
    assert loaded.n == statistics.n
    assert np.array_equal(loaded.total, statistics.total)
    assert np.array_equal(loaded.outer, statistics.outer)


def test_files_that_hold_no_statistics_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match="cannot read"):
        load_feature_statistics(tmp_path / "missing.safetensors")
    (tmp_path / "text").write_text("no tensors")
    save_file({"mean": np.zeros(3)}, tmp_path / "other")
    save_file({"n": np.zeros(1, int), "total": np.zeros(3), "outer": np.zeros((3, 3))}, tmp_path / "floats")
    with pytest.raises(LepbenchError, match="is no safetensors file"):
        load_feature_statistics(tmp_path / "text")
    for name in ("other", "floats"):
        with pytest.raises(LepbenchError, match="holds no feature statistics"):
            load_feature_statistics(tmp_path / name)
