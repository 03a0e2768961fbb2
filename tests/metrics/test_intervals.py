"""Bootstrap intervals against a plain loop, a closed form, and their promise of coverage."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from lepbench.metrics.clip import clip_skill, skill_of_means
from lepbench.metrics.statistics import bootstrap, holm


def by_loop(
    columns: np.ndarray,
    clusters: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    resamples: int,
    seed: int,
) -> np.ndarray:
    """The same bootstrap, an item at a time."""
    names = np.unique(clusters)
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(resamples):
        rows = np.concatenate([np.flatnonzero(clusters == name) for name in rng.choice(names, len(names))])
        draws.append(statistic(columns[rows]))
    return np.quantile(draws, [0.025, 0.975])


def test_agrees_with_a_loop_over_items_of_unequal_size() -> None:
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(30), rng.integers(1, 6, 30))
    columns = rng.normal(size=(len(clusters), 3)) + rng.normal(size=30)[clusters][:, None] + [1, 0, 4]
    interval = bootstrap(columns, clusters, seed=1, statistic=skill_of_means, resamples=20_000).interval()
    low, high = by_loop(columns, clusters, lambda rows: clip_skill(*rows.T), 4000, seed=2)
    assert interval.value == pytest.approx(clip_skill(*columns.T))
    width = high - low
    assert interval.low == pytest.approx(low, abs=0.05 * width)
    assert interval.high == pytest.approx(high, abs=0.05 * width)


def test_agrees_with_the_normal_interval_of_a_mean() -> None:
    values = np.random.default_rng(3).normal(2, 1, size=400)
    interval = bootstrap(values, seed=4, resamples=20_000).interval()
    margin = 1.96 * values.std() / np.sqrt(len(values))
    assert interval.value == pytest.approx(values.mean())
    assert interval.low == pytest.approx(values.mean() - margin, abs=0.05 * margin)
    assert interval.high == pytest.approx(values.mean() + margin, abs=0.05 * margin)


@pytest.mark.slow
def test_covers_the_truth_about_19_times_in_20_and_only_when_clustered() -> None:
    def covered(clustered: bool) -> float:
        hits = 0
        for trial in range(250):
            rng = np.random.default_rng(trial)
            items = np.repeat(np.arange(64), 4)
            values = rng.normal(size=64)[items] + 0.3 * rng.normal(size=256)
            interval = bootstrap(values, items if clustered else None, seed=trial, resamples=500).interval()
            hits += interval.low <= 0 <= interval.high
        return hits / 250

    assert 0.90 < covered(clustered=True) < 0.98
    assert covered(clustered=False) < 0.80


def test_deterministic_by_seed_and_blind_to_the_kind_of_label() -> None:
    values = np.random.default_rng(5).random(20)
    labels = np.repeat(np.arange(10), 2)
    first = bootstrap(values, labels, seed=7).interval()
    assert first == bootstrap(values.tolist(), [f"item-{n}" for n in labels], seed=7).interval()
    assert first != bootstrap(values, labels, seed=8).interval()


def test_a_paired_difference_cancels_what_both_share() -> None:
    rng = np.random.default_rng(6)
    items = rng.normal(size=64)
    better, worse = items + 0.2 + 0.1 * rng.normal(size=64), items + 0.1 * rng.normal(size=64)
    first, second = bootstrap(better, seed=0), bootstrap(worse, seed=0)
    difference = first.minus(second).interval()
    assert difference.value == pytest.approx(better.mean() - worse.mean())
    assert difference.low > 0
    assert first.interval().low < second.interval().high
    assert first.minus(first).interval() == (0, 0, 0)
    assert first.minus(second).p_value() == pytest.approx(2 / 2001)
    assert first.minus(first).p_value() == 1


def test_a_paired_difference_of_a_ratio() -> None:
    rng = np.random.default_rng(8)
    first, second = (rng.random((40, 3)) + np.array([gain, 0, 2]) for gain in (1, 0.5))
    drawn = [bootstrap(columns, seed=0, statistic=skill_of_means) for columns in (first, second)]
    difference = drawn[0].minus(drawn[1]).interval()
    assert difference.value == pytest.approx(clip_skill(*first.T) - clip_skill(*second.T))
    assert difference.low < difference.value < difference.high


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: bootstrap([], seed=0).interval(), "at least one value"),
        (lambda: bootstrap([1, 2], [0], seed=0).interval(), "2 values but labels"),
        (lambda: bootstrap([1], seed=0).minus(bootstrap([1], seed=0, resamples=9)), "other resamples"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[], object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        call()


def test_p_value_agrees_with_the_normal_test_of_a_mean() -> None:
    values = np.random.default_rng(2).normal(0.15, 1, size=300)
    drawn = bootstrap(values, seed=0, resamples=50_000)
    assert drawn.p_value() == pytest.approx(ttest_1samp(values, 0).pvalue, rel=0.15)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_the_step_down_written_out(given_values: list[float]) -> None:
    adjusted = holm(given_values)
    order = sorted(range(len(given_values)), key=lambda i: given_values[i])
    worst = 0.0
    for place, i in enumerate(order):
        worst = max(worst, (len(order) - place) * given_values[i])
        assert adjusted[i] == pytest.approx(min(worst, 1.0))


def test_one_item_has_no_interval_and_no_test() -> None:
    draws = bootstrap([1.0, 2.0], ["a", "a"], seed=0, resamples=50)
    assert draws.value == 1.5
    assert np.isnan(draws.interval()[1:]).all()
    assert draws.p_value() == draws.minus(bootstrap([0.0], seed=0, resamples=50)).p_value() == 1.0
