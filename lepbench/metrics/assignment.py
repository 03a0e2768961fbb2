"""Which edge pixels of two maps are one another's? One-to-one, as near as possible, within a reach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, maximum_bipartite_matching

Map = NDArray[np.bool_]
Index = NDArray[np.signedinteger]
Distances = NDArray[np.float64]

OUTLIER = 100.0
"""Price of leaving one pixel unmatched, in reaches, as in the BSDS benchmark."""
DENSE_CELLS = 1 << 26
"""Largest cost matrix that is written out: half a gigabyte."""


class Pairs(NamedTuple):
    """Pixels close enough to match, [E] each: numbers of the pixels in reading order, and their distance."""

    first: Index
    second: Index
    distance: Distances


def match_pixels(first: Map, second: Map, reach: float) -> tuple[Map, Map]:
    """Pair the pixels of two maps one to one, at the least total cost.

    A pair costs its Euclidean distance and may not exceed `reach`; a pixel left alone costs 100 reaches, so
    in effect as many pixels as possible are paired, and among those pairings the nearest is taken. Exact,
    part by part: pixels that no chain of close pairs connects cannot compete for one another.

    Args:
        first: bool [H, W].
        second: bool [H, W].
        reach: largest distance of a pair, in pixels.

    Returns:
        The matched pixels of each map, bool [H, W]; both hold the same number.

    Source: the boundary benchmark of Martin, Fowlkes and Malik, "Learning to detect natural image boundaries
    using local brightness, color, and texture cues", 2004, section 4.

    Raises:
        ValueError: the maps differ in shape, or are no bool [H, W].
    """
    if first.shape != second.shape or first.ndim != 2 or first.dtype != bool or second.dtype != bool:
        raise ValueError(f"expected two bool [H, W], got {first.dtype} {first.shape} and {second.shape}")
    pairs = close_pairs(first, second, reach)
    chosen = cheapest_pairing(pairs, int(first.sum()), int(second.sum()), reach)
    return _marked(first, pairs.first[chosen]), _marked(second, pairs.second[chosen])


def close_pairs(first: Map, second: Map, reach: float) -> Pairs:
    """Every pair of a pixel of `first` and one of `second` at most `reach` apart."""
    if np.count_nonzero(first) > np.count_nonzero(second):
        swapped = close_pairs(second, first, reach)
        return Pairs(swapped.second, swapped.first, swapped.distance)
    border = int(reach)
    span = np.arange(-border, border + 1)
    far = np.hypot(span[:, None], span)
    down, right = (axis - border for axis in np.nonzero(far <= reach))
    numbers = np.full(second.shape, -1, dtype=np.int32)
    numbers[second] = np.arange(np.count_nonzero(second))
    # A border as wide as the reach, so that a neighbour is a fixed step away in the flattened map.
    padded = np.pad(numbers, border, constant_values=-1)
    width = padded.shape[1]
    rows, columns = np.nonzero(first)
    here = (rows + border) * width + columns + border
    near = padded.ravel()[here[:, None] + (down * width + right)]
    pixel, offset = np.nonzero(near >= 0)
    return Pairs(pixel, near[pixel, offset].astype(np.intp), np.hypot(down, right)[offset])


def cheapest_pairing(pairs: Pairs, firsts: int, seconds: int, reach: float) -> Index:
    """Numbers of the pairs in the pairing of least cost, pixels of which there are `firsts` and `seconds`."""
    graph = csr_array(
        (np.ones(len(pairs.first), dtype=np.int8), (pairs.first, firsts + pairs.second)),
        shape=(firsts + seconds, firsts + seconds),
    )
    _, labels = connected_components(graph, directed=False)
    chosen = [
        _pair_up(pairs.first[part], pairs.second[part], pairs.distance[part], part, OUTLIER * reach)
        for part in _parts(labels[pairs.first], pairs.distance)
    ]
    return np.concatenate(chosen) if chosen else np.empty(0, dtype=np.intp)


def _parts(labels: Index, distance: Distances) -> Iterator[Index]:
    """Numbers of the pairs of each connected part, nearest first."""
    order = np.lexsort((distance, labels))
    cuts = np.flatnonzero(np.diff(labels[order])) + 1
    return iter(np.split(order, cuts)) if len(order) else iter(())


def _pair_up(first: Index, second: Index, distance: Distances, numbers: Index, alone: float) -> Index:
    """The chosen of the pairs of one part, which are numbered `numbers` and sorted by distance."""
    rows, row = np.unique(first, return_inverse=True)
    columns, column = np.unique(second, return_inverse=True)
    if min(len(rows), len(columns)) == 1:
        return numbers[:1]
    if len(rows) * len(columns) > DENSE_CELLS:
        return numbers[_largest(row, column, (len(rows), len(columns)))]
    # A cell that is no pair costs what leaving both pixels alone does, so a full assignment of the smaller
    # side has the cost of the pairing, up to a constant.
    cost = np.full((len(rows), len(columns)), 2 * alone)
    cost[row, column] = distance
    taken = np.zeros(cost.shape, dtype=bool)
    taken[linear_sum_assignment(cost)] = True
    return numbers[taken[row, column]]


def _largest(row: Index, column: Index, shape: tuple[int, int]) -> Index:
    """Pairs of a pairing with as many pixels as any, whatever the distance: for parts too large to weigh."""
    graph = csr_array((np.ones(len(row), dtype=np.int8), (row, column)), shape=shape)
    partner = maximum_bipartite_matching(graph, perm_type="column")
    return np.flatnonzero(partner[row] == column)


def _marked(pixels: Map, numbers: Index) -> Map:
    """The map of those true pixels, numbered in reading order, that are listed."""
    marked = np.zeros_like(pixels)
    marked.flat[np.flatnonzero(pixels)[numbers]] = True
    return marked
