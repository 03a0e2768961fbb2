"""Polylines on a canvas: sampled a pixel apart, and cut down to the samples that are kept."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lepbench.sketches.base import Fault, Unusable
from lepbench.sketches.vector.areas import Mask
from lepbench.strokes import Points

SPECK = 8
"""Samples, kept or not, that are too few to divide a line."""
APART = 2.0
"""Pixels between samples beyond which the line was off the canvas."""


class Samples(NamedTuple):
    """Points of a line a pixel apart, as far as it is on the canvas.

    Attributes:
        points: [M, 2], px.
        at: where on the line, [M]: 2.5 is half-way between its corners 2 and 3.
    """

    points: Points
    at: NDArray[np.float64]


def sample_line(line: Points, low: Points, high: Points, most: int) -> Samples:
    """Points a pixel apart on the parts of a line that are in a box.

    Raises:
        Unusable: there are more than `most`.
    """
    starts, steps = line[:-1], np.diff(line, axis=0)
    first, last = clip_segments(starts, steps, low, high)
    on = np.flatnonzero(first <= last)
    lengths = np.hypot(*steps[on].T) * (last - first)[on]
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
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        bounds = np.stack([(low - starts) / steps, (high - starts) / steps])
    within = (starts >= low) & (starts <= high)
    still = steps == 0
    # A segment that does not move in a direction is inside all the way, or never.
    first = np.where(still, np.where(within, 0.0, 2.0), bounds.min(axis=0))
    last = np.where(still, 1.0, bounds.max(axis=0))
    return np.maximum(first.max(axis=1), 0.0), np.minimum(last.min(axis=1), 1.0)


def cut_line(line: Points, samples: Samples, kept: Mask) -> list[Points]:
    """The parts of a line whose samples are kept; a line that is kept whole is as it was."""
    if not kept.any():
        return []
    whole = samples.at[0] == 0 and samples.at[-1] == len(line) - 1
    breaks = np.linalg.norm(np.diff(samples.points, axis=0), axis=1) > APART
    runs = _runs(kept, breaks)
    if whole and len(runs) == 1 and runs[0] == (0, len(kept) - 1):
        return [line]
    return [_part(line, samples, first, last) for first, last in runs]


def _runs(kept: Mask, breaks: Mask) -> list[tuple[int, int]]:
    """First and last sample of every part that is kept, specks bridged or left out."""
    ends = [0, *(np.flatnonzero(breaks) + 1).tolist(), len(kept)]
    found: list[tuple[int, int]] = []
    for start, end in pairwise(ends):
        marks = np.diff(np.concatenate([[0], kept[start:end].astype(np.int8), [0]]))
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
