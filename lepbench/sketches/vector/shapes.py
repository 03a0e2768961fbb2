"""What a document paints: shapes on its canvas, each with its paints and what they are clipped to."""

from __future__ import annotations

from dataclasses import dataclass

from lepbench.sketches.vector.paints import Paint
from lepbench.strokes import Points


@dataclass(frozen=True)
class Shape:
    """A shape as it is painted, in pixels of the canvas.

    Attributes:
        lines: its contours, polylines [N, 2].
        edges: of contours that are not closed, the straight line that closes their fill.
        fill: the paint inside; None where there is none.
        even_odd: whether the fill rule is that, not `nonzero`.
        stroke: the paint along the lines; None where there is none.
        width: of the stroke.
        clips: each lets through only what is inside it.
    """

    lines: list[Points]
    edges: list[Points]
    fill: Paint | None
    even_odd: bool
    stroke: Paint | None
    width: float
    clips: tuple[Clip, ...] = ()


@dataclass(frozen=True, eq=False)
class Clip:
    """A clip path, or a mask; each equals itself alone.

    Attributes:
        shapes: what is inside.
        light: of a mask, whether its brightness counts beside its opacity.
    """

    shapes: tuple[Shape, ...]
    light: bool = False
