"""One-to-one matching of edge pixels of two maps within a maximum distance, at least total cost."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, min_weight_full_bipartite_matching

Map = NDArray[np.bool_]
Index = NDArray[np.signedinteger]
DistanceMatrix = NDArray[np.float64]

OUTLIER = 100.0
"""Cost of an unmatched pixel, in units of `reach`, as in the BSDS benchmark."""
DENSE_CELLS = 10_000
"""Largest dense cost matrix; beyond it the sparse solver is faster."""


class Pairs(NamedTuple):
    """Pixels close enough to match, [E] each: numbers of the pixels in reading order, and their distance."""

    first: Index
    second: Index
    distance: DistanceMatrix


def match_pixels(first: Map, second: Map, reach: float) -> tuple[Map, Map]:
    """Match the pixels of two maps one to one, at least total cost.

    A pair costs its Euclidean distance, at most `reach`; an unmatched pixel costs 100 times `reach`, so
    in effect the number of pairs is maximal, and among such matchings the total distance is least. Exact,
    for each connected component: pixels that no chain of close pairs connects cannot compete.

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
    count, labels = connected_components(graph, directed=False)
    row, rows = _within(labels[:firsts], count)
    column, columns = _within(labels[firsts:], count)
    part = labels[pairs.first]
    order = np.lexsort((pairs.distance, part))
    starts = np.flatnonzero(np.diff(part[order], prepend=-1))
    alone = np.minimum(rows, columns)[part[order[starts]]] == 1
    chosen = [order[starts[alone]]]  # one pixel on a side takes its nearest
    row, column, distance = row[pairs.first[order]], column[pairs.second[order]], pairs.distance[order]
    ends = np.append(starts[1:], len(order))
    for start, end in zip(starts[~alone], ends[~alone], strict=True):
        here = slice(start, end)
        shape = (int(rows[part[order[start]]]), int(columns[part[order[start]]]))
        taken = _pair_up(row[here], column[here], distance[here], shape=shape, alone=2 * OUTLIER * reach)
        chosen.append(order[here][taken])
    return np.concatenate(chosen)


def _within(labels: Index, count: int) -> tuple[Index, Index]:
    """The number, from 0, of each pixel among those of its part, and the size of each part."""
    sizes = np.bincount(labels, minlength=count)
    order = np.argsort(labels, kind="stable")
    places = np.empty_like(order)
    places[order] = np.arange(len(labels)) - (np.cumsum(sizes) - sizes)[labels[order]]
    return places, sizes


def _pair_up(
    row: Index, column: Index, distance: DistanceMatrix, shape: tuple[int, int], alone: float
) -> NDArray[np.bool_]:
    """Which of the pairs of one part are chosen; rows and columns are numbered from 0."""
    if shape[0] > shape[1]:
        row, column, shape = column, row, (shape[1], shape[0])
    solve = _by_matrix if shape[0] * shape[1] <= DENSE_CELLS else _by_graph
    return np.asarray(solve(row, column, distance, shape=shape, alone=alone)[row] == column)


def _by_matrix(
    row: Index, column: Index, distance: DistanceMatrix, shape: tuple[int, int], alone: float
) -> Index:
    """The column each row takes, at the least total cost, where leaving a row and a column costs `alone`.

    A cell that is no pair costs what leaving both does, so an assignment of all rows, which are the fewer,
    has the cost of the pairing, up to a constant. A row whose column is no pair of it is a row left.
    """
    cost = np.full(shape, alone)
    cost[row, column] = distance
    return np.asarray(linear_sum_assignment(cost)[1])


def _by_graph(
    row: Index, column: Index, distance: DistanceMatrix, shape: tuple[int, int], alone: float
) -> Index:
    """`_by_matrix` of a large part, whose cells are few: each row has a column of its own to be left at."""
    rows, columns = shape
    own = np.arange(rows)
    # An edge of no cost would be no edge to SciPy, so all cost 1 more: every row takes exactly one.
    cost = 1 + np.concatenate([distance, np.full(rows, alone)])
    ends = (np.concatenate([row, own]), np.concatenate([column, columns + own]))
    graph = csr_array((cost, ends), shape=(rows, columns + rows))
    return np.asarray(min_weight_full_bipartite_matching(graph)[1])


def _marked(pixels: Map, numbers: Index) -> Map:
    """The map of those true pixels, numbered in reading order, that are listed."""
    marked = np.zeros_like(pixels)
    marked.flat[np.flatnonzero(pixels)[numbers]] = True
    return marked
