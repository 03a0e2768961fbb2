"""Frechet distance against three peers and closed forms; statistics merge exactly and survive a file."""

import numpy as np
import pytest
import torch
from cleanfid.fid import frechet_distance as by_cleanfid
from safetensors.numpy import save_file
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torchmetrics.image.fid import _compute_fid as by_torchmetrics

from lepbench.errors import LepbenchError
from lepbench.metrics.frechet import FeatureStatistics, frechet_distance


def features(n: int, d: int, seed: int, shift: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + shift


def distance(first: np.ndarray, second: np.ndarray) -> float:
    return frechet_distance(FeatureStatistics.of(first), FeatureStatistics.of(second))


@pytest.mark.parametrize(("n", "d"), [(400, 8), (300, 64), (2000, 48)])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_agrees_with_cleanfid_torch_fidelity_and_torchmetrics(n, d):
    x, y = features(n, d, 0), features(n + 50, d, 1, shift=0.3)
    ours = distance(x, y)
    moments = [(s.mean(axis=0), np.cov(s, rowvar=False)) for s in (x, y)]
    assert ours == pytest.approx(by_cleanfid(*moments[0], *moments[1]), rel=1e-6)
    fidelity = fid_statistics_to_metric(
        *(fid_features_to_statistics(torch.from_numpy(s)) for s in (x, y)), False
    )
    assert ours == pytest.approx(fidelity["frechet_inception_distance"], rel=1e-6)
    tensors = [torch.from_numpy(part) for pair in moments for part in pair]
    assert ours == pytest.approx(by_torchmetrics(*tensors).item(), rel=1e-6)


def test_gaussians_of_one_dimension_by_the_closed_form():
    x, y = features(200, 1, 2), features(300, 1, 3, shift=5.0)
    expected = (x.mean() - y.mean()) ** 2 + (x.std(ddof=1) - y.std(ddof=1)) ** 2
    assert distance(x, y) == pytest.approx(expected)


def test_zero_of_itself_symmetric_and_a_shift_counts_squared():
    x = features(300, 12, 4)
    assert distance(x, x) == pytest.approx(0, abs=1e-9)
    assert distance(x, x + 2) == pytest.approx(12 * 4)
    y = features(300, 12, 5)
    assert distance(x, y) == pytest.approx(distance(y, x))


def test_fewer_features_than_dimensions_stay_finite():
    x, y = features(10, 64, 6), features(12, 64, 7)
    assert np.isfinite(distance(x, y))
    assert distance(x, x) == pytest.approx(0, abs=1e-6 * np.trace(np.cov(x, rowvar=False)))


def test_moments_equal_numpys_even_far_from_zero():
    x = features(500, 6, 8, shift=1e3)
    statistics = FeatureStatistics.of(torch.from_numpy(x))
    assert np.allclose(statistics.mean, x.mean(axis=0))
    assert np.allclose(statistics.covariance, np.cov(x, rowvar=False), rtol=1e-6, atol=1e-6)


def test_shards_merge_to_the_whole():
    x = features(1000, 16, 9)
    parts = [FeatureStatistics.of(part) for part in np.array_split(x, 7)]
    merged = sum(parts[1:], parts[0])
    whole = FeatureStatistics.of(x)
    assert merged.n == whole.n
    assert np.allclose(merged.total, whole.total, rtol=1e-12)
    assert np.allclose(merged.outer, whole.outer, rtol=1e-12)
    # Sums of small integers are exact in float64, so here even the order does not matter.
    integers = np.random.default_rng(10).integers(-9, 9, size=(60, 4)).astype(np.float64)
    halves = FeatureStatistics.of(integers[:23]) + FeatureStatistics.of(integers[23:])
    assert np.array_equal(halves.covariance, FeatureStatistics.of(integers).covariance)


def test_save_and_load_keep_every_bit(tmp_path):
    statistics = FeatureStatistics.of(features(50, 5, 11).astype(np.float32))
    path = tmp_path / "folder" / "reference.safetensors"
    statistics.save(path)
    loaded = FeatureStatistics.load(path)
    assert loaded.n == statistics.n
    assert np.array_equal(loaded.total, statistics.total)
    assert np.array_equal(loaded.outer, statistics.outer)


def test_files_that_hold_no_statistics_are_refused(tmp_path):
    with pytest.raises(LepbenchError, match="cannot read"):
        FeatureStatistics.load(tmp_path / "missing.safetensors")
    (tmp_path / "text").write_text("no tensors")
    save_file({"mean": np.zeros(3)}, tmp_path / "other")
    for name in ("text", "other"):
        with pytest.raises(LepbenchError, match="holds no feature statistics"):
            FeatureStatistics.load(tmp_path / name)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: FeatureStatistics.of(np.zeros(3)), "expected features"),
        (lambda: distance(np.zeros((4, 3)), np.zeros((4, 2))), "differ in length"),
        (lambda: distance(np.zeros((1, 3)), np.zeros((4, 3))), "at least 2 features"),
    ],
)
def test_what_does_not_fit_is_refused(call, reason):
    with pytest.raises(ValueError, match=reason):
        call()
