"""The parts of a document's lines that can be seen, by the colours around them when all is painted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum, auto
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lepbench.sketches.vector.areas import Mask
from lepbench.sketches.vector.polylines import Samples, cut_line, sample_line
from lepbench.sketches.vector.raster import Raster, differ
from lepbench.sketches.vector.shapes import Shape
from lepbench.strokes import Points

REACH = 2
"""Pixels around that of a point within which colours are compared."""
AROUND = np.mgrid[-REACH : REACH + 1, -REACH : REACH + 1].reshape(2, -1)
"""Rows and columns of these pixels from that of the point, [2, K]."""
MOST_SAMPLES = 2_000_000
"""Pixels of lines in a document, at most."""


class Kind(Enum):
    """What a line is.

    A stroke, the edge of a fill, the edge of a clip path that may cut off a fill, or an edge of a stroke in
    the colour of the ground.
    """

    STROKE = auto()
    FILL = auto()
    CLIP = auto()
    GAP = auto()


class Trace(NamedTuple):
    """A line of a shape when the shape was painted: what changed around each of its samples.

    Attributes:
        line: in the units of the shape.
        samples: of the line.
        near: pixels around each sample, [M, K], as indices.
        painted: their colours afterwards, [M, K, 3].
        covers: the shapes that hid what was there before, [M, K].
        changed: whether the shape changed them, [M, K].
    """

    line: Points
    samples: Samples
    near: NDArray[np.int32]
    kind: Kind
    painted: NDArray[np.uint8]
    covers: NDArray[np.int32]
    changed: Mask


def visible_lines(shapes: Iterable[Shape], raster: Raster) -> list[Points]:
    """Paint shapes, and return what is seen of their lines, in order; a line that is seen whole is kept.

    Raises:
        Unusable: the lines are too long.
    """
    traces: list[Trace] = []
    budget = MOST_SAMPLES
    for shape in shapes:
        for trace in _trace(shape, raster, budget):
            budget -= len(trace.near)
            traces.append(trace)
    compared = raster.compared
    return [
        piece for one in traces for piece in cut_line(one.line, one.samples, _seen(one, raster, compared))
    ]


def _trace(shape: Shape, raster: Raster, budget: int) -> Iterator[Trace]:
    """The lines of a shape, which is painted on the way."""
    lines = list(_lines_of(shape, raster))
    samples: list[Samples] = []
    for line, kind in lines:
        low, high = _bounds(shape, raster) if kind is Kind.CLIP else (raster.low, raster.high)
        samples.append(sample_line(raster.place(line), low, high, budget))
        budget -= len(samples[-1].at)
    near = [_near(found.points, raster) for found in samples]
    colours, fills = raster.colours.reshape(-1, 3), raster.fills.reshape(-1, 3)
    before = [(colours[pixels], fills[pixels]) for pixels in near]
    raster.paint(shape)
    for (line, kind), found, pixels, (below, areas) in zip(lines, samples, near, before, strict=True):
        painted = colours[pixels]
        changed = differ(painted, below)
        if kind is Kind.STROKE:
            # Strokes may run over others of their colour, as hatching does: together they are seen.
            changed |= differ(painted, areas)
        else:
            # The edge of an area that covers a stroke is no more than the end of that stroke.
            changed &= differ(painted if kind is Kind.GAP else fills[pixels], areas)
        covers = raster.covers.ravel()[pixels]
        yield Trace(line, found, pixels, kind, painted=painted, covers=covers, changed=changed)


def _lines_of(shape: Shape, raster: Raster) -> Iterator[tuple[Points, Kind]]:
    """What may be seen of a shape."""
    gap = raster.is_gap(shape)
    kind = Kind.FILL if gap or shape.stroke is None else Kind.STROKE
    yield from ((line, kind) for line in shape.lines)
    yield from ((line, Kind.FILL) for line in shape.edges)
    if gap:
        yield from ((line, Kind.GAP) for line in raster.outline_stroke(shape))
    if shape.fill is not None:
        parts = (part for clip in shape.clips if not clip.light for part in clip.shapes)
        yield from ((line, Kind.CLIP) for part in parts for line in (*part.lines, *part.edges))


def _bounds(shape: Shape, raster: Raster) -> tuple[Points, Points]:
    """The part of the canvas that a shape may be on."""
    corners = raster.place(np.concatenate(shape.lines))
    low, high = corners.min(axis=0) - 1, corners.max(axis=0) + 1
    return low.clip(raster.low, raster.high), high.clip(raster.low, raster.high)


def _seen(trace: Trace, raster: Raster, compared: NDArray[np.int32]) -> Mask:
    """Whether each sample is seen when all is painted, [M].

    Args:
        compared: see `Raster.compared`.
    """
    near = compared[trace.near]
    colours = raster.colours.reshape(-1, 3)[near]
    # What covered a pixel since then may have had its colour, or have been transparent.
    same = (raster.covers.ravel()[near] == trace.covers) | (colours == trace.painted).all(axis=2)
    kept = (trace.changed & same).any(axis=1)
    edge = differ(colours, colours[:, :1]).any(axis=1)
    if trace.kind is Kind.STROKE:
        edge |= differ(colours, raster.fills.reshape(-1, 3)[near]).any(axis=1)
    return np.asarray(kept & edge)


def _near(points: Points, raster: Raster) -> NDArray[np.int32]:
    height, width = raster.size
    columns, rows = np.floor(points.T).astype(np.int32)[:, :, None]
    rows, columns = rows + AROUND[0], columns + AROUND[1]
    return np.asarray(rows.clip(0, height - 1) * width + columns.clip(0, width - 1), np.int32)
