"""KID against peers and its definition; the interval's promise, kept and deterministic."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from cleanfid.fid import kernel_distance as by_cleanfid
from torch_fidelity.metric_kid import kid_features_to_metric
from torchmetrics.image.kid import poly_mmd as by_torchmetrics

from lepbench.metrics import kid as module
from lepbench.metrics.kid import item_index, kid, kid_draws, memberships, reference


def features(n: int, seed: int, shift: float = 0.0, d: int = 16) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)) + shift


def by_definition(x: np.ndarray, y: np.ndarray) -> float:
    def k(a: np.ndarray, b: np.ndarray) -> float:
        return float((a @ b / len(a) + 1) ** 3)

    within = [np.mean([k(a, b) for i, a in enumerate(s) for j, b in enumerate(s) if i != j]) for s in (x, y)]
    return float(sum(within) - 2 * np.mean([k(a, b) for a in x for b in y]))


def test_agrees_with_cleanfid_torch_fidelity_and_torchmetrics() -> None:
    x, y = features(200, 0), features(200, 1, shift=0.2)
    ours = kid(torch.from_numpy(x), y)
    assert ours == pytest.approx(by_cleanfid(y, x, num_subsets=1, max_subset_size=200), rel=1e-9)
    assert ours == pytest.approx(by_torchmetrics(torch.from_numpy(x), torch.from_numpy(y)).item(), rel=1e-9)
    settings = {"kid_subsets": 1, "kid_subset_size": 200, "verbose": False}
    fidelity = kid_features_to_metric(torch.from_numpy(x), torch.from_numpy(y), **settings)
    assert ours == pytest.approx(fidelity["kernel_inception_distance_mean"], rel=1e-9)


def test_sets_of_unequal_size_follow_the_definition() -> None:
    x, y = features(7, 2), features(11, 3, shift=0.5)
    assert kid(x, y) == pytest.approx(by_definition(x, y))


def test_pairs_of_one_item_are_left_out() -> None:
    x, y = features(9, 13, d=3), features(5, 14, d=3)
    items = np.array([0, 0, 0, 1, 1, 2, 3, 3, 4])
    k = (x @ x.T / 3 + 1) ** 3
    between = np.mean([k[i, j] for i in range(9) for j in range(9) if items[i] != items[j]])
    all_pairs = np.mean([k[i, j] for i in range(9) for j in range(9) if i != j])
    assert kid(x, y, items) - kid(x, y) == pytest.approx(between - all_pairs)
    assert kid(x, y, np.arange(9)) == kid(x, y)
    assert kid_draws(x, y, items, seed=0).interval().value == pytest.approx(kid(x, y, items))


def test_several_samples_an_item_leave_it_unbiased() -> None:
    known = reference(features(300, 15, d=4))
    independent, repeated = [], []
    for trial in range(300):
        shared = features(20, 1000 + trial, d=4)
        independent.append(kid(shared, known))
        repeated.append(kid(np.repeat(shared, 3, axis=0), known, np.repeat(np.arange(20), 3)))
    assert np.mean(repeated) == pytest.approx(np.mean(independent), rel=1e-6)


def test_blocks_do_not_change_the_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = features(50, 4), features(90, 5)
    whole = kid(x, y), kid_draws(x, y, seed=0, repeats=20).interval()
    monkeypatch.setattr(module, "BLOCK", 16)
    assert kid(x, y) == pytest.approx(whole[0], rel=1e-9)
    assert kid_draws(x, y, seed=0, repeats=20).interval() == pytest.approx(whole[1], rel=1e-9)


def test_a_prepared_reference_gives_the_same() -> None:
    x, y = features(40, 6), features(60, 7)
    assert kid(x, reference(y)) == kid(x, y)


def test_unbiased_where_the_distributions_agree() -> None:
    estimates = [kid(features(30, 2 * trial, d=4), features(40, 2 * trial + 1, d=4)) for trial in range(200)]
    assert abs(np.mean(estimates)) < 3 * np.std(estimates) / np.sqrt(200)
    assert min(estimates) < 0


@pytest.mark.slow
@pytest.mark.parametrize("clustered", [False, True])
def test_the_interval_covers_the_distance_to_the_reference(clustered: bool) -> None:
    known = reference(features(1000, 8))
    truth = np.mean([kid(features(2500, 100 + n, shift=0.4), known) for n in range(3)])
    copies = 3 if clustered else 1

    def covered(trial: int) -> bool:
        rng = np.random.default_rng(trial)
        items = np.repeat(np.arange(64), copies)
        # Samples of an item share half their variance, so that each is still of the one distribution.
        shared, own = rng.normal(size=(64, 16))[items], rng.normal(size=(len(items), 16))
        x = (np.sqrt(0.5) * (shared + own) if clustered else shared) + 0.4
        interval = kid_draws(x, known, items, seed=trial, repeats=300).interval()
        return bool(interval.low <= truth <= interval.high)

    assert 0.88 <= np.mean([covered(trial) for trial in range(120)]) <= 0.99


def test_the_interval_holds_its_value_and_is_deterministic_by_seed() -> None:
    x, y = features(64, 9, shift=0.3), features(200, 10)
    interval = kid_draws(x, y, seed=1).interval()
    assert interval.value == pytest.approx(kid(x, y), rel=1e-9)
    assert interval.low < interval.value < interval.high
    assert interval == kid_draws(x, y, seed=1).interval()
    assert interval != kid_draws(x, y, seed=2).interval()


def test_the_width_does_not_depend_on_the_subsample_size() -> None:
    x, y = features(200, 11, shift=0.4), features(500, 12)
    widths = []
    for fraction in (0.3, 0.5, 0.8):
        interval = kid_draws(x, y, seed=0, repeats=2000, fraction=fraction).interval()
        widths.append(interval.high - interval.low)
    assert max(widths) < 1.15 * min(widths)


def test_subsamples_hold_whole_items_once() -> None:
    labels = np.array(["a", "b", "c", "d", "b", "a"])
    members = memberships(item_index(6, labels), fraction=0.5, repeats=50, seed=0)
    assert set(members.ravel()) == {0.0, 1.0}
    assert np.array_equal(members[:, 0], members[:, 5])
    assert np.array_equal(members[:, 1], members[:, 4])
    assert (members[:, :4].sum(axis=1) == 2).all()
    assert len(np.unique(members, axis=0)) == 6


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: kid(features(1, 0), features(5, 1)), "at least 2 items"),
        (lambda: kid(features(4, 0), features(5, 1), ["one"] * 4), "at least 2 items"),
        (lambda: kid(features(5, 0, d=3), features(5, 1, d=4)), "differ in length"),
        (lambda: kid_draws(features(3, 0), features(5, 1), seed=0).interval(), "at least 4 items"),
        (
            lambda: kid_draws(features(5, 0), features(5, 1), [1, 2], seed=0).interval(),
            "5 features but labels",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[], object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        call()
