"""Frechet distance against three peers and closed forms; statistics merge exactly and survive a file."""

from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from operator import add

import numpy as np
import pytest
import torch
from cleanfid.fid import frechet_distance as by_cleanfid
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torchmetrics.image.fid import _compute_fid as by_torchmetrics

from lepbench.metrics import frechet
from lepbench.metrics.frechet import (
    LIMB,
    REACH,
    ROWS,
    STEP,
    FeatureStatistics,
    frechet_distance,
    mean_frechet_distance,
)

Partition = tuple[int, int, list[int], list[int]]


def features(n: int, d: int, seed: int, shift: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + shift


def distance(first: np.ndarray, second: np.ndarray) -> float:
    return frechet_distance(FeatureStatistics.of(first), FeatureStatistics.of(second))


@pytest.mark.parametrize(("n", "d"), [(400, 8), (300, 64), (2000, 48)])
@pytest.mark.usefixtures("sqrtm_of_clean_fid")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_agrees_with_cleanfid_torch_fidelity_and_torchmetrics(n: int, d: int) -> None:
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


def test_gaussians_of_one_dimension_by_the_closed_form() -> None:
    x, y = features(200, 1, 2), features(300, 1, 3, shift=5.0)
    expected = (x.mean() - y.mean()) ** 2 + (x.std(ddof=1) - y.std(ddof=1)) ** 2
    assert distance(x, y) == pytest.approx(expected)


def test_zero_of_itself_symmetric_and_a_shift_counts_squared() -> None:
    x = features(300, 12, 4)
    assert distance(x, x) == pytest.approx(0, abs=1e-9)
    assert distance(x, x + 2) == pytest.approx(12 * 4)
    y = features(300, 12, 5)
    assert distance(x, y) == pytest.approx(distance(y, x))


def test_fewer_features_than_dimensions_stay_finite() -> None:
    x, y = features(10, 64, 6), features(12, 64, 7)
    assert np.isfinite(distance(x, y))
    assert distance(x, x) == pytest.approx(0, abs=1e-6 * np.trace(np.cov(x, rowvar=False)))


def test_moments_equal_numpys_even_far_from_zero() -> None:
    x = features(500, 6, 8, shift=1e3)
    statistics = FeatureStatistics.of(torch.from_numpy(x))
    assert np.allclose(statistics.mean, x.mean(axis=0))
    assert np.allclose(statistics.covariance, np.cov(x, rowvar=False), rtol=1e-6, atol=1e-6)


@st.composite
def partitions(draw: st.DrawFn) -> Partition:
    """A seed and a shape of features, an order of theirs, and places to cut it."""
    n = draw(st.integers(2, 60))
    order = draw(st.permutations(range(n)))
    cuts = draw(st.lists(st.integers(0, n), max_size=6).map(sorted))
    return draw(st.integers(0, 2**32)), draw(st.integers(1, 9)), order, cuts


@given(partitions(), st.sampled_from([1e-6, 1.0, 900.0]), st.sampled_from([np.float32, np.float64]))
def test_any_split_in_any_order_gives_the_same_bytes(
    partition: Partition, scale: float, kind: type[np.floating]
) -> None:
    seed, width, order, cuts = partition
    rng = np.random.default_rng(seed)
    x = (scale * rng.standard_normal((len(order), width))).astype(kind)
    merged = reduce(add, [FeatureStatistics.of(part) for part in np.split(x[order], cuts)])
    whole, other = FeatureStatistics.of(x), FeatureStatistics.of(rng.random((30, width)))
    assert (merged.n, merged.total.tobytes()) == (whole.n, whole.total.tobytes())
    assert merged.outer.tobytes() == whole.outer.tobytes()
    assert frechet_distance(merged, other) == frechet_distance(whole, other)


def test_blocks_of_rows_are_summed_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    x = features(5000, 6, 9).astype(np.float32)
    whole = FeatureStatistics.of(x)
    monkeypatch.setattr(frechet, "ROWS", 7)
    assert np.array_equal(FeatureStatistics.of(x).outer, whole.outer)


@given(arrays(np.float64, (9, 3), elements=st.floats(-REACH, REACH)))
def test_sums_are_those_of_endless_precision(x: np.ndarray) -> None:
    units = [[round(Fraction(value) / Fraction(STEP)) for value in row] for row in x.tolist()]
    statistics = FeatureStatistics.of(x)
    assert statistics.total.tolist() == [sum(column) for column in zip(*units, strict=True)]
    high, middle, low = statistics.outer.astype(object)
    products = (high * 2**20 + middle) * 2**20 + low
    assert products.tolist() == [[sum(r[i] * r[j] for r in units) for j in range(3)] for i in range(3)]


def test_nothing_is_rounded_at_the_end_of_the_range() -> None:
    """Every product and every sum of a block at its largest."""
    value = REACH - (LIMB / 2 + 1) * STEP
    x = np.full((2 * ROWS + 5, 2), [value, -value])
    units, statistics = int(value / STEP), FeatureStatistics.of(x)
    assert statistics.total.tolist() == [len(x) * units, -len(x) * units]
    high, middle, low = statistics.outer.astype(object)
    products = (high * 2**20 + middle) * 2**20 + low
    square = len(x) * units**2
    assert products.tolist() == [[square, -square], [-square, square]]


def test_a_feature_is_off_by_half_a_step_at_most() -> None:
    x = np.random.default_rng(10).standard_normal((1, 300))
    assert np.abs(FeatureStatistics.of(x).mean - x[0]).max() <= STEP / 2
    large = (np.sign(x) * (np.abs(x) + 1 / 32)).astype(np.float32)
    assert np.array_equal(FeatureStatistics.of(large).mean, large[0])


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: FeatureStatistics.of(np.zeros(3)), "expected features"),
        (lambda: distance(np.zeros((4, 3)), np.zeros((4, 2))), "differ in length"),
        (lambda: distance(np.zeros((1, 3)), np.zeros((4, 3))), "at least 2 features"),
        (lambda: FeatureStatistics.of(np.array([[0, 4097.0]])), "a feature is 4097, not within"),
        (
            lambda: FeatureStatistics.of(np.array([[0, np.nan]])),
            "features hold NaN or infinity, first in row 0",
        ),
        (lambda: FeatureStatistics(2**22 + 1, np.zeros(3, int), np.zeros((3, 3, 3), int)), "more than the"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[], object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        call()


def test_the_mean_over_groups_is_that_of_their_own_distances() -> None:
    x, real = features(90, 6, 7), FeatureStatistics.of(features(200, 6, 8, shift=0.4))
    index = np.arange(90) % 3
    shuffled = np.random.default_rng(0).permutation(90)
    own = [frechet_distance(FeatureStatistics.of(x[number::3]), real) for number in range(3)]
    found = mean_frechet_distance(torch.from_numpy(x[shuffled]), index[shuffled], real)
    assert found == pytest.approx(np.mean(own), rel=1e-9)
    assert found > frechet_distance(FeatureStatistics.of(x), real)
    assert mean_frechet_distance(x, ["all"] * 90, real) == frechet_distance(FeatureStatistics.of(x), real)


@pytest.mark.parametrize(
    ("groups", "reason"), [([0, 0, 1], "at least 2 features"), ([0], "labels of shape"), ([], "labels of")]
)
def test_groups_that_have_no_distance_are_refused(groups: list[int], reason: str) -> None:
    real = FeatureStatistics.of(features(20, 4, 9))
    with pytest.raises(ValueError, match=reason):
        mean_frechet_distance(features(3, 4, 10), groups, real)
