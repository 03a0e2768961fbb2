"""An SVG document to the shapes that it paints, in order: groups, `<use>`, viewports, clips, paints."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element

import numpy as np

from lepbench.sketches.base import Fault, Unusable
from lepbench.sketches.vector.cascade import Style, cascade, inherit
from lepbench.sketches.vector.contours import (
    MOST,
    SHAPES,
    close_line,
    flatten_contours,
    trace_shape,
    transform,
)
from lepbench.sketches.vector.lengths import (
    Affine,
    Viewport,
    fit_view_box,
    parse_length,
    parse_numbers,
    parse_share,
    parse_transform,
    shift,
)
from lepbench.sketches.vector.markup import reference_of, tag_of
from lepbench.sketches.vector.paints import URL, Paint, Paints
from lepbench.sketches.vector.shapes import Clip, Shape
from lepbench.strokes import Points

FLATNESS = 0.5
"""Maximum deviation of a polyline from its curve, in px of the canvas."""
FINEST = 1 / 2048
"""The same in sides of the canvas, where that is less: a small one may be drawn large."""
MOST_ELEMENTS = 100_000
"""Of a document, and of what it draws once every `<use>` is resolved."""
DEEPEST = 512
"""Elements inside one another, at most."""
LARGEST_ENTRY = 1e12
"""Of a transform."""
GROUPS = ("g", "a")
INVISIBLE = ("hidden", "collapse")
NOT_DRAWN = ("text", "image", "foreignObject", "video", "canvas", "iframe")
WHITE = Paint(255, 255, 255, alpha=1)


@dataclass(frozen=True)
class Context:
    """What holds around an element.

    Attributes:
        affine: from its coordinates to the canvas.
        viewport: the size that percentages refer to.
        style: the properties of its parent.
        opacity: of all its ancestors together.
        clips: of all its ancestors.
        clipping: whether it is part of a clip path, of which only the shape counts.
        size: width and height that a `<use>` gives to the viewport that it shows; None elsewhere.
        chain: the elements being referred to, outermost first.
        depth: how many elements it is in.
    """

    affine: Affine
    viewport: Viewport
    style: Style
    opacity: float = 1.0
    clips: tuple[Clip, ...] = ()
    clipping: bool = False
    size: tuple[str | None, str | None] | None = None
    chain: tuple[Element, ...] = ()
    depth: int = 0


Pending = tuple[Element, Context]


class Interpreter:
    """Draws the elements of one document.

    Args:
        root: of the document.

    Attributes:
        unsupported: how often something was met that is not drawn, or not as it should be, by its name.
    """

    def __init__(self, root: Element) -> None:
        self.root, self.flatness = root, FLATNESS
        self.styles = cascade(root)
        self.ids: dict[str, Element] = {}
        for element in root.iter():
            self.ids.setdefault(element.get("id", ""), element)
        self.paints = Paints(self.ids, self.styles)
        self.unsupported: Counter[str] = Counter()
        self._clips: dict[tuple[Element, bytes], Clip] = {}
        self._visits = self._points = 0

    def draw_root(self, canvas: Viewport) -> Iterator[Shape]:
        """The shapes of the document, fitted into a canvas of this size; see `draw`."""
        self.flatness = min(FLATNESS, max(canvas) * FINEST)
        affine, viewport = fit_view_box(self.styles[self.root], *canvas)
        context = self._enter(self.root, Context(affine, viewport, {}))
        return self.draw([] if context is None else ((child, context) for child in self.root))

    def draw(self, pending: Iterable[Pending]) -> Iterator[Shape]:
        """The shapes of elements in painting order.

        Raises:
            Unusable: there is too much, an element refers to itself, or a coordinate is not finite.
        """
        stack = list(pending)[::-1]
        while stack:
            element, around = stack.pop()
            self._count(around)
            context = self._enter(element, around)
            if context is None:
                continue
            if tag_of(element) in SHAPES:
                yield from self._paint(element, context)
            else:
                stack += list(self._inside(element, context))[::-1]

    def _count(self, context: Context) -> None:
        self._visits += 1
        if self._visits > MOST_ELEMENTS:
            raise Unusable(Fault.TOO_LARGE, f"more than {MOST_ELEMENTS} elements are drawn")
        if context.depth > DEEPEST:
            raise Unusable(Fault.TOO_LARGE, f"more than {DEEPEST} elements are inside one another")

    def _enter(self, element: Element, around: Context) -> Context | None:
        """What holds at an element; None where nothing of it is drawn."""
        style = inherit(self.styles[element], around.style)
        opacity = around.opacity * parse_share(style.get("opacity"))
        if style.get("display") == "none" or opacity == 0 or not meets_conditions(element):
            return None
        affine = compose(around.affine, parse_transform(style, around.viewport))
        context = replace(around, affine=affine, style=style, opacity=opacity, depth=around.depth + 1)
        self._note_effects(style)
        return replace(context, clips=(*around.clips, *self._clips_of(context)))

    def _note_effects(self, style: Style) -> None:
        for name in ("filter", "mix-blend-mode"):
            if style.get(name, "none") not in ("none", "normal"):
                self.unsupported[name] += 1
        boxed = style.get("transform-box", "view-box") != "view-box" and style.get("transform-origin")
        self.unsupported["transform-box"] += bool(boxed and style.get("transform", "none") != "none")

    def _inside(self, element: Element, context: Context) -> Iterable[Pending]:
        """What an element that is no shape draws."""
        tag = tag_of(element)
        if tag in GROUPS:
            return ((child, context) for child in element)
        if tag == "switch":
            chosen = (child for child in element if tag_of(child) and meets_conditions(child))
            return ((child, context) for child in list(chosen)[:1])
        if tag == "use":
            return self._resolve_use(element, context)
        if tag == "svg" or (tag == "symbol" and context.size is not None):
            return self._open_viewport(element, context)
        if tag in NOT_DRAWN and context.style.get("visibility") not in INVISIBLE:
            self.unsupported[f"<{tag}>"] += tag != "text" or bool("".join(element.itertext()).strip())
        return ()

    def _resolve_use(self, element: Element, context: Context) -> Iterable[Pending]:
        reference = reference_of(element)
        target = self.ids.get(reference[1:]) if reference.startswith("#") else None
        if reference and not reference.startswith("#"):
            self.unsupported["<use> of another file"] += 1
        if target is None:
            return
        if target in context.chain:
            raise Unusable(Fault.DAMAGED, f"<use> of {reference} refers to itself")
        style = context.style
        x = parse_length(style.get("x"), context.viewport.width)
        y = parse_length(style.get("y"), context.viewport.height)
        yield (
            target,
            replace(
                context,
                affine=compose(context.affine, shift(x, y)),
                size=(style.get("width"), style.get("height")),
                chain=(*context.chain, target),
            ),
        )

    def _open_viewport(self, element: Element, context: Context) -> Iterable[Pending]:
        """The children of an `<svg>` or of a `<symbol>` in use, clipped to it unless it overflows."""
        style, around = context.style, context.viewport
        given = context.size or (None, None)
        width = parse_length(given[0] or style.get("width"), around.width, around.width)
        height = parse_length(given[1] or style.get("height"), around.height, around.height)
        if not (width > 0 and height > 0):
            return ()
        x, y = parse_length(style.get("x"), around.width), parse_length(style.get("y"), around.height)
        affine, viewport = fit_view_box(style, width, height)
        outside = compose(context.affine, shift(x, y) if tag_of(element) == "svg" else np.eye(3))
        clips = context.clips
        if style.get("overflow", "hidden") not in ("visible", "auto"):
            clips = (*clips, Clip((_rectangle(outside, width, height),)))
        inner = replace(context, affine=compose(outside, affine), viewport=viewport, clips=clips, size=None)
        return ((child, inner) for child in element)

    def _clips_of(self, context: Context) -> Iterator[Clip]:
        """What the properties `clip-path` and `mask` of an element let through."""
        for kind, name in (("clip-path", "clipPath"), ("mask", "mask")):
            value = context.style.get(kind, "none")
            if value == "none":
                continue
            target = self.paints.find_target(value)
            if target is not None and tag_of(target) == name:
                if "objectBoundingBox" in (target.get("clipPathUnits"), target.get("maskContentUnits")):
                    self.unsupported[f"{kind} in shares of its element"] += 1
                else:
                    yield self._clip(target, context)
            elif not URL.match(value):
                self.unsupported[f"{kind} that is no reference"] += 1

    def _clip(self, target: Element, context: Context) -> Clip:
        key = (target, context.affine.tobytes())
        if key not in self._clips:
            if target in context.chain:
                raise Unusable(Fault.DAMAGED, f"<{tag_of(target)}> refers to itself")
            clipping = tag_of(target) == "clipPath"
            plain = Context(context.affine, context.viewport, {}, chain=(*context.chain, target))
            around = self._enter(target, replace(plain, depth=context.depth, clipping=clipping))
            shapes = () if around is None else self.draw((child, around) for child in target)
            light = not clipping and self.styles[target].get("mask-type") != "alpha"
            self._clips[key] = Clip(tuple(shapes), light)
        return self._clips[key]

    def _paint(self, element: Element, context: Context) -> Iterator[Shape]:
        style, scale = context.style, math.sqrt(abs(np.linalg.det(context.affine[:2, :2])))
        if style.get("visibility") in INVISIBLE or not scale > 0:
            return
        fill, stroke, width = self._paints_of(context, scale)
        if fill is None and stroke is None:
            return
        lines = self._trace(element, context, dots=stroke is not None)
        if not lines:
            return
        if not context.clipping:
            self._note_strokes(style, stroke)
        ends = [line[[-1, 0]] for line in lines if (line[-1] != line[0]).any()]
        yield Shape(
            lines=lines if stroke is not None else [close_line(line) for line in lines],
            edges=ends if fill is not None and stroke is not None else [],
            fill=fill,
            even_odd=style.get("clip-rule" if context.clipping else "fill-rule") == "evenodd",
            stroke=stroke,
            width=width,
            clips=context.clips,
        )

    def _trace(self, element: Element, context: Context, dots: bool) -> list[Points]:
        """A shape's lines on the canvas; those of no length only as dots, with round or square ends."""
        contours = trace_shape(tag_of(element), context.style, context.viewport)
        lines = flatten_contours(contours, context.affine, self.flatness, MOST - self._points)
        self._points += sum(map(len, lines))
        dots = dots and context.style.get("stroke-linecap", "butt") != "butt"
        return [line for line in lines if dots or (line != line[0]).any()]

    def _paints_of(self, context: Context, scale: float) -> tuple[Paint | None, Paint | None, float]:
        """Fill, stroke and the stroke's width; None for what nobody sees."""
        style = context.style
        if context.clipping:
            return WHITE, None, 0.0
        fill = _fade(self.paints.resolve(style, "fill", "black"), context.opacity)
        stroke = _fade(self.paints.resolve(style, "stroke", "none"), context.opacity)
        unscaled = style.get("vector-effect") == "non-scaling-stroke"
        width = parse_length(style.get("stroke-width"), context.viewport.diagonal, 1.0)
        width *= 1.0 if unscaled else scale
        return fill, stroke if width > 0 else None, width

    def _note_strokes(self, style: Style, stroke: Paint | None) -> None:
        if stroke is not None and any(parse_numbers(style.get("stroke-dasharray"))):
            self.unsupported["stroke-dasharray"] += 1
        if any(style.get(f"marker-{place}", "none") != "none" for place in ("start", "mid", "end")):
            self.unsupported["marker"] += 1
        if any(self.paints.is_pattern(style.get(kind, "")) for kind in ("fill", "stroke")):
            self.unsupported["pattern"] += 1


def compose(outside: Affine, inside: Affine) -> Affine:
    """The transform of what is inside another.

    Raises:
        Unusable: its entries are too large for coordinates to stay finite.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        affine: Affine = outside @ inside
    if not np.abs(affine).max() < LARGEST_ENTRY:
        raise Unusable(Fault.DAMAGED, "a transform is out of range")
    return affine


def _fade(paint: Paint | None, opacity: float) -> Paint | None:
    return None if paint is None else paint._replace(alpha=paint.alpha * opacity)


def _rectangle(affine: Affine, width: float, height: float) -> Shape:
    corners: Points = np.array([(0, 0), (width, 0), (width, height), (0, height), (0, 0)], np.float64)
    lines = [transform(corners, affine)]
    return Shape(lines, [], fill=WHITE, even_odd=False, stroke=None, width=0.0)


def meets_conditions(element: Element) -> bool:
    """Whether an English-speaking browser without extensions draws an element.

    Source: SVG 2, section 5.7.
    """
    language = element.get("systemLanguage")
    english = language is None or any(tag.strip().lower()[:2] == "en" for tag in language.split(","))
    return english and not element.get("requiredExtensions", "").strip()
