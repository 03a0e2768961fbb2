"""Free-hand drawings of a scene: its visible outlines, with more distortion at each level."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lepbench.errors import LepbenchError
from lepbench.sketchworld.render import LABELS_A_THING, SIZE, SUPERSAMPLING, label_map, region_map, render
from lepbench.sketchworld.scene import Scene, random
from lepbench.sketchworld.shapes import SHAPES
from lepbench.strokes import Points, rasterise


@dataclass(frozen=True)
class Hand:
    """How loosely a level draws; lengths in px of a 64 px picture."""

    jitter: float
    simplify: float
    overshoot: float
    gaps: float
    dropped: float


HANDS = {
    1: Hand(jitter=0.4, simplify=0.3, overshoot=0.5, gaps=0.0, dropped=0.0),
    2: Hand(jitter=0.9, simplify=0.8, overshoot=1.2, gaps=0.05, dropped=0.0),
    3: Hand(jitter=1.5, simplify=1.6, overshoot=2.0, gaps=0.10, dropped=0.2),
    4: Hand(jitter=2.3, simplify=2.8, overshoot=3.0, gaps=0.16, dropped=0.45),
}
LEVELS = (0, *HANDS)
STEP = 0.5
SHORTEST = 2.0


@dataclass(frozen=True)
class Stroke:
    """A drawn line: float64 [N, 2] in px (x, y), of the named part of the thing numbered `thing`."""

    thing: int
    part: str
    points: Points


@dataclass(frozen=True)
class FreehandSketch:
    """The strokes in drawing order, and bool [H, W] with every stroke one pixel wide."""

    strokes: tuple[Stroke, ...]
    raster: NDArray[np.bool_]


def freehand(scene: Scene, level: int, size: int = SIZE) -> FreehandSketch:
    """Draw a scene's visible outlines at an abstraction level.

    Args:
        level: 0 is the exact contours; 1 to 4 add jitter, gaps, overshoot, simplification and dropped
            strokes, each larger than at the level before.

    Raises:
        LepbenchError: no such level.
    """
    if level not in LEVELS:
        raise LepbenchError(f"no abstraction level {level}", "levels are 0 to 4")
    strokes = visible_strokes(scene, size)
    if level == 0:
        return FreehandSketch(tuple(strokes), render(scene, size).contours)
    rng = random(scene.split, scene.index, f"freehand {level}")
    kept = _keep(rng, strokes, HANDS[level].dropped)
    drawn = [piece for stroke in kept for piece in _draw(rng, stroke, HANDS[level], size / SIZE)]
    return FreehandSketch(tuple(drawn), rasterise([stroke.points for stroke in drawn], size))


def visible_strokes(scene: Scene, size: int = SIZE) -> list[Stroke]:
    """The visible runs of every part's outline, resampled to half-pixel steps."""
    regions = region_map(label_map(scene, size))
    strokes: list[Stroke] = []
    for number, thing in enumerate(scene.things):
        for order, part in enumerate(SHAPES[thing.shape]):
            outline = _resample(thing.to_picture(part.points, size), STEP * size / SIZE)
            region = 1 + number * LABELS_A_THING // 2 + order
            seen = _seen(outline, regions == region)
            strokes += [Stroke(number, part.name, run) for run in _runs(outline, seen)]
    shortest = SHORTEST * size / SIZE
    return [stroke for stroke in strokes if _length(stroke.points) >= shortest]


def _resample(corners: Points, step: float) -> Points:
    """A closed outline as points `step` px apart, the first repeated at the end."""
    closed = np.concatenate([corners, corners[:1]])
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    where = np.linspace(0, along[-1], max(int(along[-1] / step), 3) + 1)
    return np.stack([np.interp(where, along, closed[:, axis]) for axis in (0, 1)], axis=1)


def _seen(outline: Points, region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether the part itself shows within half a pixel of each point of its outline."""
    near = cv2.dilate(region.astype(np.uint8), np.ones((5, 5), np.uint8))
    x, y = np.floor(outline * SUPERSAMPLING).astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < near.shape[1]) & (y < near.shape[0])
    seen = np.zeros(len(outline), np.bool_)
    seen[inside] = near[y[inside], x[inside]] > 0
    return seen


def _runs(outline: Points, seen: NDArray[np.bool_]) -> list[Points]:
    """Consecutive seen points; a run across the outline's starting point stays in one piece."""
    if seen.all():
        return [outline]
    # Start just after a hidden point, so that no run is cut by where the polygon happens to begin.
    start = int(np.argmin(seen[:-1]))
    points, flags = np.roll(outline[:-1], -start, axis=0), np.roll(seen[:-1], -start)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [points[a:b] for a, b in edges.reshape(-1, 2) if b - a > 1]


def _length(points: Points) -> float:
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())


def _keep(rng: np.random.Generator, strokes: list[Stroke], dropped: float) -> list[Stroke]:
    """Drop strokes at random, but never a thing's longest: it would be gone."""
    longest = {
        n: max((s for s in strokes if s.thing == n), key=lambda s: _length(s.points))
        for n in {s.thing for s in strokes}
    }
    chances = rng.random(len(strokes))
    return [
        s for s, chance in zip(strokes, chances, strict=True) if chance >= dropped or s is longest[s.thing]
    ]


def _draw(rng: np.random.Generator, stroke: Stroke, hand: Hand, scale: float) -> list[Stroke]:
    """One stroke as the hand draws it: simplified, wavering, running past its ends, and broken by a gap."""
    points = _simplify(stroke.points, hand.simplify * scale)
    points = points + _waver(rng, len(points), hand.jitter * scale)
    points = _overshoot(points, rng.uniform(0, hand.overshoot * scale, 2))
    gap = rng.uniform(0, hand.gaps)
    at = rng.uniform(0.2, 0.8 - gap)
    cut, resume = int(at * len(points)), int((at + gap) * len(points))
    pieces = [points] if resume - cut < 2 else [points[:cut], points[resume:]]
    return [Stroke(stroke.thing, stroke.part, piece) for piece in pieces if len(piece) > 1]


def _simplify(points: Points, tolerance: float) -> Points:
    """Fewer corners (Douglas-Peucker), walked again at the original number of points."""
    # An outline that ends where it begins is closed: as an open line its two ends would hide all between.
    closed = bool(np.allclose(points[0], points[-1]))
    outline = points[:-1] if closed else points
    corners = cv2.approxPolyDP(outline.astype(np.float32)[:, None], tolerance, closed=closed)[:, 0]
    if len(corners) < 2:
        return points
    if closed:
        corners = np.concatenate([corners, corners[:1]])
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    where = np.linspace(0, along[-1], len(points))
    return np.stack([np.interp(where, along, corners[:, axis]) for axis in (0, 1)], axis=1)


def _waver(rng: np.random.Generator, n: int, amplitude: float) -> Points:
    """A smooth displacement [n, 2]: an offset of the whole stroke and a slow wave, sigma `amplitude` px."""
    knots = max(n // 16, 2)
    shifts = rng.normal(0, amplitude * 0.7, (knots, 2)) + rng.normal(0, amplitude * 0.7, (1, 2))
    where = np.linspace(0, knots - 1, n)
    return np.stack([np.interp(where, np.arange(knots), shifts[:, axis]) for axis in (0, 1)], axis=1)


def _overshoot(points: Points, lengths: NDArray[np.float64]) -> Points:
    """Run on past both ends in the direction of the last few points."""
    reach = min(4, len(points) - 1)
    ends = []
    for end, inner, length in (
        (points[0], points[reach], lengths[0]),
        (points[-1], points[-1 - reach], lengths[1]),
    ):
        direction = end - inner
        ends.append(end + direction * length / max(float(np.linalg.norm(direction)), 1e-9))
    return np.concatenate([ends[:1], points, ends[1:]])
