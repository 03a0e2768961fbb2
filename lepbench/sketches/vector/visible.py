"""The parts of a document's lines that can be seen, by the colours around them when all is painted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lepbench.sketches.base import Fault, Unusable
from lepbench.sketches.vector.areas import Mask
from lepbench.sketches.vector.raster import Raster, differ
from lepbench.sketches.vector.shapes import Shape
from lepbench.strokes import Points

REACH = 2
"""Pixels around that of a point within which colours are compared."""
SPECK = 3
"""Pixels of a line, seen or hidden, that are too short to divide it."""
MOST_SAMPLES = 2_000_000
AROUND = np.mgrid[-REACH : REACH + 1, -REACH : REACH + 1].reshape(2, -1)
"""Rows and columns of these pixels from that of the point, [2, K]."""


class Samples(NamedTuple):
    """Points of a line a pixel apart, as far as it is on the canvas.

    Attributes:
        points: [M, 2], px.
        at: where on the line, [M]: 2.5 is half-way between its corners 2 and 3.
    """

    points: Points
    at: NDArray[np.float64]


class Trace(NamedTuple):
    """A line of a shape when the shape was painted: what changed around each of its samples.

    Attributes:
        line: in the units of the shape.
        samples: of the line.
        near: pixels around each sample, [M, K], as indices.
        painted: their colours afterwards, [M, K, 3].
        changed: whether the shape changed them, [M, K], or would have if no stroke had been there before.
        stroked: whether it is a stroke rather than the edge of an area.
    """

    line: Points
    samples: Samples
    near: NDArray[np.int32]
    painted: NDArray[np.uint8]
    changed: Mask
    stroked: bool


def visible_lines(shapes: Sequence[Shape], raster: Raster) -> list[Points]:
    """Paint shapes, and return what is seen of their lines, in order; a line that is seen whole is kept.

    Raises:
        Unusable: the lines are too long.
    """
    traces: list[Trace] = []
    budget = MOST_SAMPLES
    for shape in shapes:
        made = list(_trace(shape, raster, budget))
        budget -= sum(len(trace.near) for trace in made)
        traces += made
    return [piece for trace in traces for piece in cut(trace.line, trace.samples, _seen(trace, raster))]


def _trace(shape: Shape, raster: Raster, budget: int) -> Iterator[Trace]:
    """The lines of a shape, which is painted on the way."""
    gap = raster.is_gap(shape)
    edges = [*shape.edges, *clip_edges(shape), *(raster.outline_stroke(shape) if gap else ())]
    stroked = shape.stroke is not None and not gap
    lines = [(line, stroked) for line in shape.lines] + [(line, False) for line in edges]
    samples = [sample_line(raster.place(line), raster, budget) for line, _ in lines]
    near = [_near(found.points, raster) for found in samples]
    colours, fills = raster.colours.reshape(-1, 3), raster.fills.reshape(-1, 3)
    before = [(colours[pixels], fills[pixels]) for pixels in near]
    raster.paint(shape)
    for (line, is_stroke), found, pixels, (below, areas) in zip(lines, samples, near, before, strict=True):
        painted = colours[pixels]
        changed = differ(painted, below)
        # A stroke may run over others of its own colour, as hatching does: together they are seen.
        changed |= is_stroke & differ(painted, areas)
        yield Trace(line, found, pixels, painted=painted, changed=changed, stroked=is_stroke)


def clip_edges(shape: Shape) -> Iterator[Points]:
    """Where clip paths may cut off a shape's fill."""
    if shape.fill is not None:
        for clip in shape.clips:
            yield from (line for part in clip.shapes if not clip.light for line in (*part.lines, *part.edges))


def _seen(trace: Trace, raster: Raster) -> Mask:
    """Whether each sample is seen when all is painted, [M]."""
    colours = raster.colours.reshape(-1, 3)[trace.near]
    kept = (trace.changed & (colours == trace.painted).all(axis=2)).any(axis=1)
    edge = differ(colours, colours[:, :1]).any(axis=1)
    if trace.stroked:
        edge |= differ(colours, raster.fills.reshape(-1, 3)[trace.near]).any(axis=1)
    return np.asarray(kept & edge)


def _near(points: Points, raster: Raster) -> NDArray[np.int32]:
    height, width = raster.size
    columns, rows = np.floor(points.T).astype(np.int32)[:, :, None]
    rows, columns = rows + AROUND[0], columns + AROUND[1]
    return np.asarray(rows.clip(0, height - 1) * width + columns.clip(0, width - 1), np.int32)


def sample_line(line: Points, raster: Raster, most: int) -> Samples:
    """Points a pixel apart on the parts of a line that are on the canvas.

    Raises:
        Unusable: there are more than `most`.
    """
    starts, steps = line[:-1], np.diff(line, axis=0)
    first, last = clip_segments(starts, steps, raster.low, raster.high)
    on = np.flatnonzero(first <= last)
    lengths = np.linalg.norm(steps[on], axis=1) * (last - first)[on]
    counts = np.maximum(np.ceil(lengths), 1).astype(np.int64) + 1
    if counts.sum() > most:
        raise Unusable(Fault.TOO_LARGE, "its lines are too long")
    segment = np.repeat(on, counts)
    rank = np.arange(len(segment)) - np.repeat(np.cumsum(counts) - counts, counts)
    t = first[segment] + (last - first)[segment] * rank / np.repeat(counts - 1, counts)
    return Samples(starts[segment] + t[:, None] * steps[segment], segment + t)


def clip_segments(starts: Points, steps: Points, low: Points, high: Points) -> tuple[NDArray, NDArray]:
    """Where each segment enters and leaves a box, [N] each, in shares of it; what misses it enters last.

    Source: Liang and Barsky, "A new concept and method for line clipping", 1984.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        bounds = np.stack([(low - starts) / steps, (high - starts) / steps])
    within = (starts >= low) & (starts <= high)
    still = steps == 0
    # A segment that does not move in a direction is inside all the way, or never.
    first = np.where(still, np.where(within, 0.0, 2.0), bounds.min(axis=0))
    last = np.where(still, 1.0, bounds.max(axis=0))
    return np.maximum(first.max(axis=1), 0.0), np.minimum(last.min(axis=1), 1.0)


def cut(line: Points, samples: Samples, seen: Mask) -> list[Points]:
    """The seen parts of a line."""
    if not seen.any():
        return []
    whole = samples.at[0] == 0 and samples.at[-1] == len(line) - 1
    breaks = np.linalg.norm(np.diff(samples.points, axis=0), axis=1) > REACH
    runs = _runs(seen, breaks)
    if whole and len(runs) == 1 and runs[0] == (0, len(seen) - 1):
        return [line]
    return [_part(line, samples, first, last) for first, last in runs]


def _runs(seen: Mask, breaks: Mask) -> list[tuple[int, int]]:
    """First and last sample of every seen part, specks bridged or left out."""
    ends = [0, *(np.flatnonzero(breaks) + 1).tolist(), len(seen)]
    found: list[tuple[int, int]] = []
    for start, end in pairwise(ends):
        marks = np.diff(np.concatenate([[0], seen[start:end].astype(np.int8), [0]]))
        rises, falls = np.flatnonzero(marks == 1) + start, np.flatnonzero(marks == -1) + start - 1
        parts: list[tuple[int, int]] = []
        for first, last in zip(rises.tolist(), falls.tolist(), strict=True):
            if parts and first - parts[-1][1] <= SPECK:
                parts[-1] = (parts[-1][0], last)
            else:
                parts.append((first, last))
        found += [part for part in parts if part[1] - part[0] >= min(SPECK, end - start - 1)]
    return found


def _part(line: Points, samples: Samples, first: int, last: int) -> Points:
    """A line from one sample to another, with its corners between them."""
    start, end = samples.at[first], samples.at[last]
    corners = np.arange(int(np.floor(start)) + 1, int(np.ceil(end)))
    ends = [_point(line, float(at)) for at in (start, end)]
    return np.concatenate([ends[:1], line[corners], ends[1:]])


def _point(line: Points, at: float) -> Points:
    corner = min(int(at), len(line) - 2)
    return np.asarray(line[corner] + (at - corner) * (line[corner + 1] - line[corner]))
