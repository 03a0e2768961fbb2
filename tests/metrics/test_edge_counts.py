"""Edge counts against a distance transform and against the definition, and the conventions of F1."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import distance_transform_edt

from lepbench.metrics.edges import EdgeCounts, diagonal, edge_counts, pixels_of, precision_recall_f1, share_of

TOLERANCES = (0.0, 0.9, 1.0, 1.5, 2.0, 2.3, 5.0)


def matched_by_transform(of: np.ndarray, near: np.ndarray, tolerance: float) -> int:
    """Pixels of one map within a distance of the other, by SciPy's exact Euclidean distance transform."""
    return int((distance_transform_edt(~near)[of] <= tolerance).sum()) if near.any() else 0


map_pairs = st.tuples(st.integers(1, 24), st.integers(1, 24)).flatmap(
    lambda shape: st.tuples(*[arrays(np.bool_, shape, elements=st.sampled_from([False] * 7 + [True]))] * 2)
)


@settings(max_examples=150, deadline=None)
@given(map_pairs)
def test_equal_to_a_distance_transform(maps: tuple[np.ndarray, np.ndarray]) -> None:
    predicted, target = maps
    counts = edge_counts(torch.from_numpy(predicted[None]), torch.from_numpy(target[None]), TOLERANCES)
    for column, tolerance in enumerate(TOLERANCES):
        assert counts.matched_predicted[0, column] == matched_by_transform(predicted, target, tolerance)
        assert counts.matched_target[0, column] == matched_by_transform(target, predicted, tolerance)
        assert counts.predicted[0, column] == predicted.sum()
        assert counts.target[0, column] == target.sum()


@settings(max_examples=60, deadline=None)
@given(map_pairs)
def test_scores_are_bounded_symmetric_and_grow_with_tolerance(maps: tuple[np.ndarray, np.ndarray]) -> None:
    predicted, target = (torch.from_numpy(m[None]) for m in maps)
    scores = precision_recall_f1(edge_counts(predicted, target, TOLERANCES))
    swapped = precision_recall_f1(edge_counts(target, predicted, TOLERANCES))
    assert np.array_equal(scores.precision, swapped.recall)
    assert np.array_equal(scores.f1, swapped.f1)
    for score in scores:
        assert score.shape == (1, len(TOLERANCES))
        assert ((score >= 0) & (score <= 1)).all()
        assert (np.diff(score[0]) >= 0).all()


def test_a_shifted_line_by_hand() -> None:
    target, predicted = torch.zeros(1, 8, 8, dtype=torch.bool), torch.zeros(1, 8, 8, dtype=torch.bool)
    target[0, 2] = True
    predicted[0, 4, :4] = True  # half the line, two rows lower
    counts = edge_counts(predicted, target)
    assert counts.matched_predicted.tolist() == [[0, 0, 4]]
    assert counts.matched_target.tolist() == [[0, 0, 4]]
    scores = precision_recall_f1(counts)
    assert scores.precision.tolist() == [[0, 0, 1]]
    assert scores.recall.tolist() == [[0, 0, 0.5]]
    assert scores.f1[0, 2] == pytest.approx(2 / 3)


def test_diagonal_neighbours_lie_farther_than_one_pixel() -> None:
    first, second = torch.zeros(1, 3, 3, dtype=torch.bool), torch.zeros(1, 3, 3, dtype=torch.bool)
    first[0, 0, 0] = second[0, 1, 1] = True
    assert edge_counts(first, second, (1.0, 1.414, 1.415)).matched_target.tolist() == [[0, 0, 1]]


def test_empty_maps() -> None:
    empty, full = torch.zeros(1, 4, 4, dtype=torch.bool), torch.ones(1, 4, 4, dtype=torch.bool)
    for predicted, target, expected in (
        (empty, empty, 1),
        (empty, full, 0),
        (full, empty, 0),
        (full, full, 1),
    ):
        scores = precision_recall_f1(edge_counts(predicted, target, (0.0, 2.0)))
        assert all((score == expected).all() for score in scores)


def test_samples_are_counted_apart_and_pool_by_summing() -> None:
    generator = torch.Generator().manual_seed(0)
    predicted, target = (torch.rand(5, 9, 7, generator=generator) < 0.2 for _ in range(2))
    counts = edge_counts(predicted, target)
    for row in range(5):
        alone = edge_counts(predicted[row : row + 1], target[row : row + 1])
        assert all(np.array_equal(a[row], b[0]) for a, b in zip(counts, alone, strict=True))
    pooled = precision_recall_f1(EdgeCounts(*(c.sum(axis=0) for c in counts)))
    both = (predicted & target).sum().item()
    assert pooled.precision[0] == pytest.approx(both / predicted.sum().item())
    assert pooled.recall[0] == pytest.approx(both / target.sum().item())


@pytest.mark.parametrize("maps", [torch.zeros(4, 4, dtype=torch.bool), torch.zeros(1, 4, 4)])
def test_what_is_no_stack_of_bool_maps_is_refused(maps: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"expected bool \[B, H, W\]"):
        edge_counts(maps, maps)


def test_maps_of_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        edge_counts(torch.zeros(1, 4, 4, dtype=torch.bool), torch.zeros(1, 4, 5, dtype=torch.bool))


def test_shares_of_the_diagonal() -> None:
    assert diagonal((3, 4)) == diagonal(torch.zeros(7, 3, 4).shape) == 5
    assert pixels_of(0.0075, (321, 481)) == pytest.approx(4.337, abs=1e-3)
    assert share_of(pixels_of(0.0075, (64, 64)), (64, 64)) == pytest.approx(0.0075)


@settings(max_examples=40, deadline=None)
@given(arrays(np.bool_, (2, 4, 9, 7)))
def test_counts_do_not_depend_on_the_batch(maps: np.ndarray) -> None:
    predicted, target = torch.from_numpy(maps)
    whole = edge_counts(predicted, target, TOLERANCES)
    parts = [edge_counts(*pair, TOLERANCES) for pair in zip(predicted.split(3), target.split(3), strict=True)]
    for column, pieces in zip(whole, zip(*parts, strict=True), strict=True):
        assert np.array_equal(column, np.concatenate(pieces))


def test_the_layout_of_the_maps_in_memory_does_not_count() -> None:
    random = torch.Generator().manual_seed(0)
    one, many = (torch.rand(size, 9, 11, generator=random) < 0.2 for size in (1, 3))
    expected = edge_counts(many, one.repeat(3, 1, 1))
    for predicted, target in (
        (many, one.expand(3, -1, -1)),
        (many.transpose(1, 2).contiguous().transpose(1, 2), one.repeat(3, 1, 1)),
    ):
        found = edge_counts(predicted, target)
        assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))
