"""A document's flat colours as pixels: enough to tell which of its lines can be seen."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from lepbench.sketches.vector.areas import Area, Mask, Size, fill_area, stroke_area
from lepbench.sketches.vector.paints import Paint
from lepbench.sketches.vector.shapes import Clip, Shape
from lepbench.strokes import Points

DARKEST = 0.03
"""Brightness times opacity of a mask, from 0 to 1, below which it lets nothing through."""
BORDER = 2
"""Pixels of ground around a canvas, which the edge of what fills it in part is seen against."""
BROAD = 4
"""Pixels of a stroke from which it has two edges."""
CONTRAST = 8
"""Difference of a channel, of 255, below which two colours look alike."""
OPAQUE = 0.9
"""Opacity from which what is below cannot be seen."""
KEPT = 32
"""Clips that are kept as pixels."""


class Raster:
    """A canvas of `width` x `height` pixels, white at first, in the midst of its ground.

    Args:
        origin: the corner of the canvas, in the units of the shapes.
        scale: pixels a unit.

    Attributes:
        colours: uint8 [H + 2 BORDER, W + 2 BORDER, 3].
        fills: the same without any stroke.
        covers: number of the last shape, from 1, that hides what was there before, int32 [...]; 0 where none.
        low, high: corners of the canvas, px.
    """

    def __init__(self, width: int, height: int, origin: Points, scale: float) -> None:
        self.size: Size = (height + 2 * BORDER, width + 2 * BORDER)
        self.low, self.high = np.array([BORDER, BORDER]), np.array([width, height]) + BORDER
        self.origin, self.scale = origin, scale
        self.colours = np.full((*self.size, 3), 255, np.uint8)
        self.fills = self.colours.copy()
        self.covers = np.zeros(self.size, np.int32)
        self._count = 0
        self._canvas = np.zeros(self.size, np.bool_)
        self._canvas[BORDER:-BORDER, BORDER:-BORDER] = True
        self._clips: dict[Clip, Mask] = {}

    @property
    def ground(self) -> NDArray[np.uint8]:
        """The colour around the canvas, [3]: white, or what was filled over the whole of it."""
        return np.array(self.fills[0, 0])

    @property
    def compared(self) -> NDArray[np.int32]:
        """The pixel whose colour stands for each, as indices, [(H + 2 BORDER) (W + 2 BORDER)].

        Itself on a white ground. On another, which fills the canvas, a pixel around the canvas has the colour
        of the nearest one inside: what runs along the border is no line.
        """
        own = np.arange(self.covers.size, dtype=np.int32).reshape(self.size)
        if (self.ground == 255).all():
            return own.ravel()
        return np.pad(own[BORDER:-BORDER, BORDER:-BORDER], BORDER, mode="edge").ravel()

    def place(self, line: Points) -> Points:
        """A line of a shape in pixels."""
        return (line - self.origin) * self.scale + BORDER

    def paint(self, shape: Shape) -> None:
        """Paint a shape's fill, and its stroke over it."""
        self._count += 1
        lines = [self.place(line) for line in shape.lines]
        filled = None if shape.fill is None else fill_area(lines, self.size, shape.even_odd)
        if shape.fill is not None and filled is not None:
            self._fill(self._cut(filled, shape.clips), shape.fill)
        stroked = None if shape.stroke is None else stroke_area(lines, self.size, shape.width * self.scale)
        if shape.stroke is not None and stroked is not None:
            self._lay(self._cut(stroked, shape.clips), shape.stroke, self.colours)

    def _fill(self, filled: Area, paint: Paint) -> None:
        window, mask = filled.window, filled.mask & self._canvas[filled.window]
        if np.count_nonzero(mask) == np.prod(self.high - self.low):
            self.fill_ground(paint)
        else:
            self._lay(Area(window, mask), paint, self.colours, self.fills)

    def fill_ground(self, paint: Paint) -> None:
        """Paint the whole canvas and what is around it."""
        everywhere = Area((slice(None), slice(None)), np.ones(self.size, np.bool_))
        self._lay(everywhere, paint, self.colours, self.fills)

    def _lay(self, area: Area, paint: Paint, *layers: NDArray[np.uint8]) -> None:
        for layer in layers:
            _blend(layer[area.window], area.mask, paint)
        if paint.alpha >= OPAQUE:
            self.covers[area.window][area.mask] = self._count

    def _cut(self, area: Area, clips: tuple[Clip, ...]) -> Area:
        """What clips let through of an area."""
        mask = area.mask
        for clip in clips:
            mask = mask & self._inside(clip)[area.window]
        return area._replace(mask=mask)

    def is_gap(self, shape: Shape) -> bool:
        """Whether a shape's stroke is broad and in the colour of the ground: a gap in others, not a line."""
        if shape.stroke is None or shape.width * self.scale < BROAD:
            return False
        ground = self.ground[None].copy()
        _blend(ground, np.array([True]), shape.stroke)
        return not differ(ground, self.ground).any()

    def outline_stroke(self, shape: Shape) -> list[Points]:
        """The edges of a shape's stroke as polylines, to a pixel."""
        area = stroke_area([self.place(line) for line in shape.lines], self.size, shape.width * self.scale)
        if area is None:
            return []
        found, _ = cv2.findContours(area.mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        corner = np.array([area.window[1].start, area.window[0].start]) + 0.5 - BORDER
        smooth = [cv2.approxPolyDP(line, 1, True)[:, 0] for line in found]
        closed = [np.concatenate([line, line[:1]]) + corner for line in smooth]
        return [line / self.scale + self.origin for line in closed]

    def _inside(self, clip: Clip) -> Mask:
        """What a clip lets through: a mask by its brightness, or by its opacity alone, as white on black."""
        if clip in self._clips:
            return self._clips[clip]
        if len(self._clips) == KEPT:
            del self._clips[next(iter(self._clips))]
        width, height = (self.high - self.low).tolist()
        blank = Raster(width, height, self.origin, self.scale)
        blank.colours[:] = 0
        for shape in clip.shapes:
            blank.paint(shape if clip.light else _whitened(shape))
        self._clips[clip] = np.asarray(blank.colours.mean(axis=2) > DARKEST * 255)
        return self._clips[clip]


def _whitened(shape: Shape) -> Shape:
    fill, stroke = (paint and Paint(255, 255, 255, alpha=paint.alpha) for paint in (shape.fill, shape.stroke))
    return replace(shape, fill=fill, stroke=stroke)


def differ(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> Mask:
    """Whether colours look different, over the last dimension."""
    far = np.abs(one.astype(np.int16) - other) >= CONTRAST
    return np.asarray(far[..., 0] | far[..., 1] | far[..., 2])


def _blend(colours: NDArray[np.uint8], mask: Mask | np.bool_, paint: Paint) -> None:
    above = np.array(paint[:3]) * paint.alpha
    below = colours[mask] * (1 - paint.alpha) if paint.alpha < 1 else 0.0
    colours[mask] = np.round(below + above).astype(np.uint8)
