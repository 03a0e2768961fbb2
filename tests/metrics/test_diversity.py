"""Diversity among samples in closed form and by its definition, item by item."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lepbench.metrics.diversity import pairwise_distances, vendi_scores


def features(n: int, seed: int, d: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d))


@pytest.mark.parametrize("count", [2, 3, 5])
def test_samples_that_are_alike_and_samples_that_share_nothing(count: int) -> None:
    alike, apart = np.tile(features(1, 0, d=8), (count, 1)), 3 * np.eye(8)[:count]
    both = torch.from_numpy(np.concatenate([alike, apart]))
    items = ["alike"] * count + ["apart"] * count
    assert pairwise_distances(both, items) == pytest.approx([0, 1], abs=1e-12)
    assert vendi_scores(both, items) == pytest.approx([1, count], abs=1e-6)


def test_groups_of_equal_samples_count_as_many() -> None:
    # Two directions, of which one is twice as frequent: eigenvalues 2/3 and 1/3.
    three = np.eye(4)[[0, 0, 1]]
    assert vendi_scores(three, [0, 0, 0]) == pytest.approx([3 / 2 ** (2 / 3)])
    assert pairwise_distances(three, [0, 0, 0]) == pytest.approx([2 / 3])
    assert pairwise_distances(np.array([[1.0, 0], [-1, 0]]), [0, 0]) == pytest.approx([2])


def test_the_definitions_spelt_out() -> None:
    part = features(4, 1)
    unit = part / np.linalg.norm(part, axis=1, keepdims=True)
    shares = np.linalg.eigvals(unit @ unit.T / 4).real
    assert vendi_scores(part, [7] * 4) == pytest.approx([np.exp(-sum(s * np.log(s) for s in shares))])
    pairs = [1 - unit[i] @ unit[j] for i in range(4) for j in range(i)]
    assert pairwise_distances(part, [7] * 4) == pytest.approx([np.mean(pairs)])


def test_an_item_of_one_sample_has_no_figure() -> None:
    for figure in (pairwise_distances, vendi_scores):
        found = figure(features(4, 2), ["b", "a", "b", "c"])
        assert np.isnan(found).tolist() == [True, False, True]
        assert figure(np.zeros((0, 3)), []).shape == (0,)


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 12), st.integers(0, 2**31), st.floats(1e-3, 1e3))
def test_neither_order_nor_length_nor_other_items_matter(count: int, seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    matrix, items, order = rng.normal(size=(count, 5)), rng.integers(3, size=count), rng.permutation(count)
    lengths = scale * rng.uniform(0.5, 2, size=(count, 1))
    for figure in (pairwise_distances, vendi_scores):
        whole = figure(matrix, items)
        assert np.allclose(figure((lengths * matrix)[order], items[order]), whole, equal_nan=True)
        for place, item in enumerate(np.unique(items)):
            alone = figure(matrix[items == item], items[items == item])
            assert np.allclose(alone, whole[place], equal_nan=True)
    known = ~np.isnan(whole)
    sizes = np.unique(items, return_counts=True)[1][known]
    assert ((whole[known] >= 1 - 1e-9) & (whole[known] <= sizes + 1e-9)).all()


@pytest.mark.parametrize("figure", [pairwise_distances, vendi_scores])
def test_what_has_no_direction_or_label_is_refused(figure: object) -> None:
    assert callable(figure)
    with pytest.raises(ValueError, match="length 0"):
        figure(np.zeros((2, 3)), [0, 0])
    with pytest.raises(ValueError, match="2 features but labels"):
        figure(features(2, 3), [0])
    with pytest.raises(ValueError, match="NaN"):
        figure(np.full((2, 3), np.nan), [0, 0])
