"""Density and coverage by the paper's formulas on all distances, in closed form, and by their intervals."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist
from scipy.stats import ortho_group

from lepbench.metrics import coverage as module
from lepbench.metrics.coverage import coverage, coverage_by_item, density, expect_coverage, reference
from lepbench.metrics.statistics import Interval, bootstrap


def features(n: int, seed: int, shift: float = 0.0, d: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)) + shift


def by_formula(x: np.ndarray, y: np.ndarray, k: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Equations 6 and 8, before their means: of the N generated features, and of the M real ones."""
    among = cdist(y, y)
    np.fill_diagonal(among, np.inf)
    radii = np.sort(among, axis=1)[:, k - 1]
    inside = np.asarray(cdist(y, x) < radii[:, None])
    return inside.sum(axis=0) / k, np.asarray(inside.any(axis=1))


@pytest.mark.parametrize("shift", [0.0, 0.5, 3.0])
@pytest.mark.parametrize("k", [1, 3, 5])
def test_agrees_with_the_formula_over_all_pairs(shift: float, k: int) -> None:
    x, y = features(150, 0, shift), features(90, 1)
    contributions, covered = by_formula(x, y, k)
    known = reference(y, k)
    assert np.allclose(density(torch.from_numpy(x), known), contributions, rtol=1e-12)
    assert coverage(x, known) == pytest.approx(covered.mean(), abs=1e-12)
    assert np.array_equal(density(x, y), density(x, reference(y)))


# Whole numbers have many ties, on which formula and blocks must decide alike.
SMALL = st.integers(-3, 3)
SETS = st.tuples(st.integers(1, 20), st.integers(6, 20), st.integers(1, 3)).flatmap(
    lambda shape: st.tuples(
        arrays(np.float64, (shape[0], shape[2]), elements=SMALL),
        arrays(np.float64, (shape[1], shape[2]), elements=SMALL),
    )
)


@settings(max_examples=150, deadline=None)
@given(SETS)
def test_a_feature_on_the_border_is_outside(sets: tuple[np.ndarray, np.ndarray]) -> None:
    contributions, covered = by_formula(*sets)
    assert np.allclose(density(*sets), contributions)
    assert coverage(*sets) == pytest.approx(covered.mean())


@settings(max_examples=60, deadline=None)
@given(SETS, st.integers(0, 2**31), st.floats(0.01, 100), st.floats(-1e4, 1e4))
def test_neither_order_nor_place_nor_unit_nor_direction_matters(
    sets: tuple[np.ndarray, np.ndarray], seed: int, unit: float, place: float
) -> None:
    x, y = sets
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(x))
    width = x.shape[1]
    turn = ortho_group.rvs(width, random_state=rng) if width > 1 else -np.eye(1)
    moved = ((s @ turn + place / unit) * unit for s in (x[order], y[rng.permutation(len(y))]))
    first, second = moved
    assert np.allclose(density(first, second), density(x, y)[order])
    assert coverage(first, second) == pytest.approx(coverage(x, y))


@settings(max_examples=60, deadline=None)
@given(SETS)
def test_repeated_samples_change_neither(sets: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = sets
    twice, items = np.repeat(x, 2, axis=0), np.repeat(np.arange(len(x)), 2)
    assert density(twice, y).mean() == pytest.approx(density(x, y).mean())
    assert coverage(twice, y) == pytest.approx(coverage(x, y))
    assert np.allclose(coverage_by_item(twice, y, items), coverage_by_item(x, y))


def test_of_equal_sets_both_are_one_and_of_distant_ones_both_are_zero() -> None:
    y = features(200, 2)
    # A feature is in its own ball, and in those of the features whose k - 1 nearest it is among.
    assert density(y, y).mean() == pytest.approx(1)
    assert coverage(y, y) == 1
    assert not density(y + 100, y).any()
    assert coverage(y + 100, y) == 0


def test_one_sample_in_the_middle_of_all_is_dense_and_covers_all() -> None:
    # Sixfold corners of a cross: the fifth neighbour of each is its own copy, but of the middle a corner.
    corners = np.repeat([[1.0, 0], [-1, 0], [0, 1], [0, -1]], 3, axis=0)
    assert density(np.zeros((1, 2)), corners) == pytest.approx(12 / 5)  # radii sqrt 2, distance 1
    assert coverage(np.zeros((1, 2)), corners) == 1


def test_features_far_from_the_origin_lose_nothing() -> None:
    x, y = features(80, 3), features(80, 4)
    assert np.array_equal(density(x + 1e5, y + 1e5), density(x, y))


def test_blocks_do_not_change_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = features(70, 5), features(90, 6)
    whole = density(x, y), coverage_by_item(x, y)
    monkeypatch.setattr(module, "BLOCK", 16)
    told: list[int] = []
    assert np.array_equal(density(x, reference(y, report=told.append), told.append), whole[0])
    assert np.array_equal(coverage_by_item(x, y), whole[1])
    assert sum(told) == 2 * len(y)


@pytest.mark.parametrize(("generated", "real"), [(40, 40), (20, 60), (90, 30)])
def test_the_expected_figures_of_one_distribution(generated: int, real: int) -> None:
    found = []
    for trial in range(300):
        x, y = features(generated, 2 * trial, d=3), features(real, 2 * trial + 1, d=3)
        found.append((density(x, y).mean(), coverage(x, y)))
    means, errors = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(len(found))
    assert abs(means[0] - 1) < 4 * errors[0]
    assert abs(means[1] - expect_coverage(generated, real)) < 4 * errors[1]


def test_what_an_item_contributes_is_what_it_alone_covers() -> None:
    x, y = features(30, 7), features(60, 8)
    items = np.random.default_rng(0).integers(12, size=30)
    found = coverage_by_item(x, y, [f"item {number:02d}" for number in items])
    whole = coverage(x, y)
    assert found.mean() == pytest.approx(whole)
    without = np.array([coverage(x[items != number], y) for number in np.unique(items)])
    pseudo = len(without) * whole - (len(without) - 1) * without
    assert np.allclose(found - found.mean(), pseudo - pseudo.mean())


@pytest.mark.slow
@pytest.mark.parametrize("copies", [1, 4])
@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_the_intervals_cover_the_expected_figures(copies: int, shift: float) -> None:
    known, items = reference(features(400, 9)), np.repeat(np.arange(128), copies)

    def draw(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        # Samples of an item share half their variance.
        shared, own = rng.normal(size=(128, 8))[items], rng.normal(size=(len(items), 8))
        return (np.sqrt(0.5) * (shared + own) if copies > 1 else shared) + shift

    def figures(x: np.ndarray, seed: int) -> list[Interval]:
        return [
            bootstrap(values, clusters, seed=seed, resamples=400).interval()
            for values, clusters in ((density(x, known), items), (coverage_by_item(x, known, items), None))
        ]

    truth = np.mean([(density(s, known).mean(), coverage(s, known)) for s in map(draw, range(1000, 1200))], 0)
    held = [
        [low <= t <= high for t, (_, low, high) in zip(truth, figures(draw(s), s), strict=True)]
        for s in range(120)
    ]
    assert (np.mean(held, axis=0) >= 0.88).all()


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: reference(features(5, 0)), "5 nearest neighbours need more than 5 real features, not 5"),
        (lambda: reference(features(9, 0), k=0), "0 nearest"),
        (lambda: density(features(5, 0, d=3), features(9, 1, d=4)), "differ in length: 3 and 4"),
        (lambda: coverage(np.zeros((0, 8)), features(9, 1)), "at least one generated feature"),
        (lambda: coverage_by_item(features(5, 0), features(9, 1), [1, 2]), "5 features but labels"),
        (lambda: density(np.full((2, 8), np.nan), features(9, 1)), "NaN"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[], object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        call()
