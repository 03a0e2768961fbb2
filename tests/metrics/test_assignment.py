"""One-to-one matching against plain search over all pairings, and against the benchmark's own formulation."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linear_sum_assignment

from lepbench.metrics import assignment
from lepbench.metrics.assignment import OUTLIER, close_pairs, match_pixels

REACHES = st.sampled_from([0.0, 1.0, 1.5, 2.0, 3.2])


def maps(height: int, width: int) -> st.SearchStrategy[np.ndarray]:
    return arrays(bool, (height, width))


def cost_of(first: np.ndarray, second: np.ndarray, reach: float) -> tuple[float, int]:
    """Least cost and size of a pairing by the benchmark's graph: every pixel has an outlier of its own."""
    a, b = np.argwhere(first), np.argwhere(second)
    n, m = len(a), len(b)
    distance = np.linalg.norm(a[:, None] - b[None], axis=2)
    cost = np.full((n + m, n + m), OUTLIER * reach)
    cost[:n, :m] = np.where(distance <= reach, distance, 1e9)
    cost[n:, m:] = 0
    rows, columns = linear_sum_assignment(cost)
    return float(cost[rows, columns].sum()), int(((rows < n) & (columns < m)).sum())


def paired_cost(
    first: np.ndarray, second: np.ndarray, hits: tuple[np.ndarray, np.ndarray], reach: float
) -> float:
    """Least cost at which exactly the marked pixels pair up, everything else being left alone."""
    a, b = np.argwhere(hits[0]), np.argwhere(hits[1])
    distance = np.linalg.norm(a[:, None] - b[None], axis=2)
    distance = np.where(distance <= reach, distance, 1e9)
    rows, columns = linear_sum_assignment(distance)
    alone = first.sum() + second.sum() - len(a) - len(b)
    return float(distance[rows, columns].sum() + alone * OUTLIER * reach)


@given(maps(6, 7), maps(6, 7), REACHES)
def test_pairing_has_the_least_cost(first: np.ndarray, second: np.ndarray, reach: float) -> None:
    hits = match_pixels(first, second, reach)
    least, size = cost_of(first, second, reach)
    assert hits[0].sum() == hits[1].sum()
    assert not (hits[0] & ~first).any()
    assert not (hits[1] & ~second).any()
    assert paired_cost(first, second, hits, reach) == pytest.approx(least, abs=1e-6)
    if reach > 0:
        assert hits[0].sum() == size


@given(maps(2, 3), maps(2, 3))
def test_as_many_pixels_are_paired_as_in_any_pairing(first: np.ndarray, second: np.ndarray) -> None:
    a, b = np.argwhere(first), np.argwhere(second)
    if len(a) > len(b):
        a, b = b, a
    close = np.linalg.norm(a[:, None] - b[None], axis=2) <= 1.0
    most = max(sum(close[i, j] for i, j in enumerate(order)) for order in permutations(range(len(b)), len(a)))
    assert match_pixels(first, second, 1.0)[0].sum() == most


@given(maps(8, 8), maps(8, 8), REACHES)
def test_sides_may_be_exchanged(first: np.ndarray, second: np.ndarray, reach: float) -> None:
    assert match_pixels(first, second, reach)[0].sum() == match_pixels(second, first, reach)[0].sum()


@given(maps(5, 9), maps(5, 9), REACHES)
def test_close_pairs_are_all_pairs_within_reach(first: np.ndarray, second: np.ndarray, reach: float) -> None:
    pairs = close_pairs(first, second, reach)
    a, b = np.argwhere(first), np.argwhere(second)
    distance = np.linalg.norm(a[:, None] - b[None], axis=2)
    found = np.full(distance.shape, np.inf)
    found[pairs.first, pairs.second] = pairs.distance
    assert np.allclose(np.where(distance <= reach, distance, np.inf), found)


@given(maps(7, 8), maps(7, 8), REACHES)
def test_both_solvers_find_the_least_cost(first: np.ndarray, second: np.ndarray, reach: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assignment, "DENSE_CELLS", 0)
        hits = match_pixels(first, second, reach)
    assert paired_cost(first, second, hits, reach) == pytest.approx(
        cost_of(first, second, reach)[0], abs=1e-6
    )


def test_a_pixel_serves_one_partner_only() -> None:
    line = np.zeros((5, 5), dtype=bool)
    line[2] = True
    doubled = line.copy()
    doubled[3] = True
    assert match_pixels(doubled, line, 1.0)[0].sum() == 5


def test_empty_maps_match_nothing() -> None:
    empty = np.zeros((4, 4), dtype=bool)
    assert not match_pixels(empty, ~empty, 2.0)[1].any()


def test_maps_of_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="expected two bool"):
        match_pixels(np.zeros((4, 4), bool), np.zeros((4, 5), bool), 1.0)
