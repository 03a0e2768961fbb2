"""A document's flat colours as pixels: enough to tell which of its lines can be seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from lepbench.sketches.vector.paints import Paint
from lepbench.sketches.vector.shapes import Clip, Shape
from lepbench.strokes import Points

BITS = 6
"""Of a pixel's fraction, as OpenCV draws."""
FARTHEST = 1 << 17
"""Pixels from the canvas beyond which a corner is moved nearer: OpenCV's coordinates have 32 bits."""
FLAT = 1e-6
"""Extent in one direction, in shares of that in the other, below which a contour has no area."""
DARKEST = 0.03
"""Brightness times opacity of a mask, from 0 to 1, below which it lets nothing through."""
BROAD = 4
"""Pixels of a stroke from which it has two edges."""
CONTRAST = 8
"""Difference of a channel, of 255, below which two colours look alike."""
BORDER = 2
"""Pixels of ground around a canvas, which the edge of what fills it in part is seen against."""
INNER = np.s_[BORDER:-BORDER, BORDER:-BORDER]
KEPT = 32
"""Clips that are kept as pixels."""
Window = tuple[slice, slice]
Mask = NDArray[np.bool_]


class Raster:
    """A canvas of `width` x `height` pixels, white at first, in the midst of its ground.

    Args:
        origin: the corner of the canvas, in the units of the shapes.
        scale: pixels a unit.

    Attributes:
        colours: uint8 [H + 2 BORDER, W + 2 BORDER, 3].
        fills: the same without any stroke.
    """

    def __init__(self, width: int, height: int, origin: Points, scale: float) -> None:
        self.width, self.height, self.origin, self.scale = width, height, origin, scale
        self.colours = np.full((height + 2 * BORDER, width + 2 * BORDER, 3), 255, np.uint8)
        self.fills = self.colours.copy()
        self._clips: dict[Clip, Mask] = {}

    @property
    def ground(self) -> NDArray[np.uint8]:
        """The colour around the canvas, [3]: white, or what was filled over the whole of it."""
        return np.array(self.fills[0, 0])

    def place(self, line: Points) -> Points:
        """A line of a shape in pixels, the top left corner of the canvas being 0."""
        return (line - self.origin) * self.scale

    def paint(self, shape: Shape) -> None:
        """Paint a shape's fill, and its stroke over it."""
        clip = self._clip(shape.clips)
        if shape.fill is not None:
            for window, mask in self._filled(shape):
                mask = mask if clip is None else mask & clip[window]
                # What fills the whole canvas is the ground of what comes after.
                covers = mask.shape == (self.height, self.width) and bool(mask.all())
                for layer in (self.colours, self.fills):
                    _blend(
                        layer if covers else layer[INNER][window], np.True_ if covers else mask, shape.fill
                    )
        if shape.stroke is not None:
            for window, mask in self._stroked(shape):
                mask = mask if clip is None else mask & clip[window]
                _blend(self.colours[INNER][window], mask, shape.stroke)

    def is_gap(self, shape: Shape) -> bool:
        """Whether a shape's stroke is broad and in the colour of the ground: a gap in others, not a line."""
        if shape.stroke is None or shape.width * self.scale < BROAD:
            return False
        ground = self.ground[None].copy()
        _blend(ground, np.array([True]), shape.stroke)
        return not differ(ground, self.ground).any()

    def outline_stroke(self, shape: Shape) -> list[Points]:
        """The edges of a shape's stroke as polylines, to a pixel."""
        outlines: list[Points] = []
        for window, mask in self._stroked(shape):
            found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
            corner = np.array([window[1].start, window[0].start]) + 0.5
            smooth = [cv2.approxPolyDP(line, 1, True)[:, 0] for line in found]
            outlines += [np.concatenate([line, line[:1]]) + corner for line in smooth]
        return [line / self.scale + self.origin for line in outlines]

    def _filled(self, shape: Shape) -> Iterator[tuple[Window, Mask]]:
        lines = [self.place(line) for line in shape.lines]
        lines = [line for line in lines if has_area(line)]
        window = self._window(lines, 1)
        if window is not None:
            yield window, fill_lines(_shifted(lines, window), window, shape.even_odd)

    def _stroked(self, shape: Shape) -> Iterator[tuple[Window, Mask]]:
        lines, width = [self.place(line) for line in shape.lines], shape.width * self.scale
        window = self._window(lines, width / 2 + 1)
        if window is not None:
            drawn = np.zeros(_shape(window), np.uint8)
            corners = _fixed(_shifted(lines, window))
            cv2.polylines(drawn, corners, False, 1, thickness=max(round(min(width, 32767)), 1), shift=BITS)
            yield window, drawn.astype(bool)

    def _window(self, lines: list[Points], margin: float) -> Window | None:
        """The part of the canvas around lines; None where they are outside it."""
        if not lines:
            return None
        corners = np.concatenate(lines)
        size = (self.width, self.height)
        low = np.clip(np.floor(corners.min(axis=0) - margin), 0, size).astype(int)
        high = np.clip(np.ceil(corners.max(axis=0) + margin) + 1, 0, size).astype(int)
        if (low >= high).any():
            return None
        return slice(low[1], high[1]), slice(low[0], high[0])

    def _clip(self, clips: tuple[Clip, ...]) -> Mask | None:
        if not clips:
            return None
        return np.asarray(np.logical_and.reduce([self._inside(clip) for clip in clips]))

    def _inside(self, clip: Clip) -> Mask:
        """What a clip lets through: a mask by its brightness, or by its opacity alone, as white on black."""
        if clip in self._clips:
            return self._clips[clip]
        if len(self._clips) == KEPT:
            del self._clips[next(iter(self._clips))]
        blank = Raster(self.width, self.height, self.origin, self.scale)
        blank.colours[:] = 0
        for shape in clip.shapes:
            blank.paint(shape if clip.light else _whitened(shape))
        self._clips[clip] = np.asarray(blank.colours[INNER].mean(axis=2) > DARKEST * 255)
        return self._clips[clip]


def _whitened(shape: Shape) -> Shape:
    fill, stroke = (paint and Paint(255, 255, 255, alpha=paint.alpha) for paint in (shape.fill, shape.stroke))
    return replace(shape, fill=fill, stroke=stroke)


def fill_lines(lines: list[Points], window: Window, even_odd: bool) -> Mask:
    """What closed contours fill, by either rule; by `nonzero` as if no contour crossed itself."""
    if even_odd or len(lines) == 1:
        filled = np.zeros(_shape(window), np.uint8)
        cv2.fillPoly(filled, _fixed(lines), 1, shift=BITS)
        return filled.astype(bool)
    winding = np.zeros(_shape(window), np.int16)
    for line in lines:
        filled = np.zeros(winding.shape, np.uint8)
        cv2.fillPoly(filled, _fixed([line]), 1, shift=BITS)
        winding += filled.astype(np.int16) * (1 if signed_area(line) > 0 else -1)
    return np.asarray(winding != 0)


def signed_area(line: Points) -> float:
    """Of a contour, closed by a straight line; its sign is the way it winds."""
    x, y = line.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def has_area(line: Points) -> bool:
    """Whether a contour's points are not all on one straight line."""
    extents = np.linalg.svd(line - line.mean(axis=0), compute_uv=False)
    return len(extents) > 1 and bool(extents[1] > FLAT * extents[0])


def differ(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> Mask:
    """Whether colours look different, over the last dimension."""
    far = np.abs(one.astype(np.int16) - other) >= CONTRAST
    return np.asarray(far[..., 0] | far[..., 1] | far[..., 2])


def _blend(colours: NDArray[np.uint8], mask: Mask | np.bool_, paint: Paint) -> None:
    above = np.array(paint[:3]) * paint.alpha
    below = colours[mask] * (1 - paint.alpha) if paint.alpha < 1 else 0.0
    colours[mask] = np.round(below + above).astype(np.uint8)


def _shifted(lines: list[Points], window: Window) -> list[Points]:
    return [line - (window[1].start, window[0].start) for line in lines]


def _shape(window: Window) -> tuple[int, int]:
    rows, columns = window
    return rows.stop - rows.start, columns.stop - columns.start


def _fixed(lines: list[Points]) -> list[NDArray[np.int32]]:
    # OpenCV has the middle of the first pixel at 0.
    return [
        np.round((np.clip(line, -FARTHEST, FARTHEST) - 0.5) * (1 << BITS)).astype(np.int32) for line in lines
    ]
