"""One-to-one counts against a maximum matching of a graph, and against the distance form that bounds them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from lepbench.metrics.edges import edge_counts, precision_recall_f1
from lepbench.metrics.one_to_one import one_to_one_counts

TOLERANCES = (0.0, 1.0, 1.5, 3.0)

map_pairs = st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda shape: st.tuples(*[arrays(np.bool_, shape)] * 2)
)


def largest_matching(first: np.ndarray, second: np.ndarray, tolerance: float) -> int:
    """Size of the largest matching between the pixels of two maps, by SciPy's graph algorithm."""
    a, b = np.argwhere(first), np.argwhere(second)
    if not len(a) or not len(b):
        return 0
    close = np.linalg.norm(a[:, None] - b[None], axis=2) <= tolerance
    return int((maximum_bipartite_matching(csr_array(close), perm_type="column") >= 0).sum())


@settings(max_examples=80, deadline=None)
@given(map_pairs)
def test_as_many_pixels_as_a_largest_matching(maps: tuple[np.ndarray, np.ndarray]) -> None:
    predicted, target = map(torch.from_numpy, maps)
    counts = one_to_one_counts(predicted, target, TOLERANCES)
    for row, (first, second) in enumerate(zip(*maps, strict=True)):
        expected = [largest_matching(first, second, tolerance) for tolerance in TOLERANCES]
        assert counts.matched_predicted[row].tolist() == expected
        assert counts.matched_target[row].tolist() == expected
        assert (counts.predicted[row] == first.sum()).all()
        assert (counts.target[row] == second.sum()).all()


@settings(max_examples=80, deadline=None)
@given(map_pairs)
def test_never_above_the_distance_form_and_equal_to_it_at_tolerance_0(
    maps: tuple[np.ndarray, np.ndarray],
) -> None:
    predicted, target = map(torch.from_numpy, maps)
    strict, loose = (count(predicted, target, TOLERANCES) for count in (one_to_one_counts, edge_counts))
    assert (strict.matched_predicted <= loose.matched_predicted).all()
    assert (strict.matched_target <= loose.matched_target).all()
    for ours, theirs in zip(strict, loose, strict=True):
        assert np.array_equal(ours[:, 0], theirs[:, 0])
    swapped = precision_recall_f1(one_to_one_counts(target, predicted, TOLERANCES))
    scores = precision_recall_f1(strict)
    assert np.array_equal(scores.precision, swapped.recall)
    assert (np.diff(scores.f1, axis=1) >= 0).all()


@settings(max_examples=40, deadline=None)
@given(map_pairs)
def test_does_not_depend_on_the_batch(maps: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = map(torch.from_numpy, maps)
    whole = one_to_one_counts(first, second, TOLERANCES)
    for row in range(len(first)):
        alone = one_to_one_counts(first[row : row + 1], second[row : row + 1], TOLERANCES)
        assert all(np.array_equal(a[row], b[0]) for a, b in zip(whole, alone, strict=True))


def test_a_doubled_line_pays() -> None:
    line = torch.zeros(1, 8, 8, dtype=torch.bool)
    line[0, 3] = True
    doubled = line | line.roll(1, dims=1)
    assert precision_recall_f1(edge_counts(doubled, line, (1.0,))).f1 == 1
    assert precision_recall_f1(one_to_one_counts(doubled, line, (1.0,))).precision == 0.5


def test_no_sample_is_no_row() -> None:
    none = torch.zeros(0, 4, 4, dtype=torch.bool)
    assert all(counts.shape == (0, 2) for counts in one_to_one_counts(none, none, (0.0, 1.0)))


def test_maps_of_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        one_to_one_counts(torch.zeros(1, 4, 4, dtype=torch.bool), torch.zeros(1, 4, 5, dtype=torch.bool))
