"""Folders of SVG files, one subfolder per class, the layout of TU-Berlin and Sketchy."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lepbench.errors import LepbenchError
from lepbench.files import as_text, is_hidden
from lepbench.sketches.base import (
    SKETCHES,
    Drawing,
    Fault,
    Name,
    Sketchbook,
    SketchCorpus,
    Unusable,
    frame_lines,
    read_file,
)
from lepbench.strokes import Points

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

SUFFIX = ".svg"
FLATNESS = 0.5
"""Maximum deviation of a polyline from its curve, in px of the file."""
FINEST = 1 / 2048
"""The same in sides of the frame, where that is less: a small canvas may be drawn large."""
MOST = 1_000_000
"""Points of a drawing above which it is not drawn."""


@SKETCHES.register("svg")
class Svg(SketchCorpus):
    """SVG files in folders named after their classes; a path, or a part of one, is a stroke, in file order.

    Settings: `path`; `licence` of the drawings, for the record.
    """

    name: Literal["svg"] = "svg"
    licence: str = "unknown"

    def open(self) -> Sketchbook:
        _libraries()
        found = (path.relative_to(self.path) for path in self.path.glob(f"*/*{SUFFIX}"))
        files = sorted(path for path in found if not is_hidden(path.as_posix()))
        if not files:
            raise LepbenchError(
                f"{self.path} holds no CLASS/*{SUFFIX}", "give the folder of the classes' folders"
            )
        return Files(self.path, files, self.licence)


class Files(Sketchbook):
    """The files of an `Svg`."""

    def __init__(self, folder: Path, files: list[Path], licence: str) -> None:
        self.folder, self.files, self.licence = folder, files, licence
        self.count = len(files)

    def names(self) -> Iterator[Name]:
        return map(_name, self.files)

    def drawing(self, number: int) -> Drawing:
        file = self.files[number]
        strokes, width, height = parse_strokes(read_file(self.folder / file))
        return Drawing(*_name(file), caption=None, strokes=strokes, width=width, height=height)


def _name(file: Path) -> Name:
    return Name(as_text(file.with_suffix("").as_posix()), as_text(file.parent.name).replace("_", " "))


def parse_strokes(content: bytes) -> tuple[tuple[Points, ...], float, float]:
    """Strokes of an SVG file, transforms applied and curves flattened, and the frame's width and height.

    The frame is the canvas; without a view box or a size it is the strokes' own extent.

    Raises:
        Unusable: it is no SVG, declares entities, refers to other elements, or is too large to draw.
    """
    root = _safe_tree(content)
    shapes, width, height = _shapes(content)
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise Unusable(Fault.DAMAGED, f"a canvas of {width:g} x {height:g}")
    lines = list(_polylines(shapes, min(FLATNESS, max(width, height) * FINEST)))
    sized = root.get("viewBox") or (root.get("width") and root.get("height"))
    return (tuple(lines), width, height) if sized else frame_lines(lines)


def _shapes(content: bytes) -> tuple[list[list[Any]], float, float]:
    """The segments of every shape, transforms applied, and the canvas's width and height.

    Raises:
        Unusable: something in it is not as SVG has it.
    """
    _, svgelements = _libraries()
    try:
        image = svgelements.SVG.parse(io.BytesIO(content), reify=True)
        drawn = [element for element in image.elements() if isinstance(element, svgelements.Shape)]
        return [list(shape.segments()) for shape in drawn], float(image.width), float(image.height)
    # The library raises whatever a wrong number or command runs into.
    except Exception as error:
        raise Unusable(Fault.DAMAGED, f"{type(error).__name__}: {error}") from error


def _safe_tree(content: bytes) -> Element:
    """The root of a document that neither declares entities nor copies one element into another.

    Raises:
        Unusable: it does, or is no XML, or no SVG.
    """
    defusedxml, _ = _libraries()
    try:
        root: Element = defusedxml.ElementTree.fromstring(content)
    except (SyntaxError, ValueError, LookupError) as error:
        raise Unusable(Fault.DAMAGED, f"{type(error).__name__}: {error}") from error
    tags = {str(element.tag).rpartition("}")[2] for element in root.iter()}
    if str(root.tag).rpartition("}")[2] != "svg":
        raise Unusable(Fault.DAMAGED, "not an SVG document")
    if "use" in tags:
        raise Unusable(Fault.DAMAGED, "it copies elements with <use>, which is not followed")
    return root


def _polylines(shapes: Iterable[list[Any]], flatness: float) -> Iterator[Points]:
    """The strokes of shapes, one for each time that the pen is put down."""
    points = 0
    for segments in shapes:
        stroke: list[Points] = []
        for segment in segments:
            if type(segment).__name__ == "Move":
                yield from _joined(stroke)
                stroke = []
                continue
            for corners in _controls(segment):
                piece = flatten_path(corners, flatness, MOST - points)
                stroke.append(piece[1:] if stroke else piece)
                points += len(piece)
        yield from _joined(stroke)


def _joined(stroke: list[Points]) -> list[Points]:
    return [np.concatenate(stroke)] if stroke else []


def _controls(segment: Any) -> Iterator[Points]:
    """Control points of the Bezier curves that a segment is or is made of, [2 to 4, 2] each."""
    kind = type(segment).__name__
    if kind == "Arc":
        for curve in segment.as_cubic_curves():
            yield from _controls(curve)
        return
    names = {"CubicBezier": ("control1", "control2"), "QuadraticBezier": ("control",)}.get(kind, ())
    corners = [segment.start, *(getattr(segment, name) for name in names), segment.end]
    yield np.array([(corner.x, corner.y) for corner in corners], np.float64)


def flatten_path(corners: Points, flatness: float, most: int = MOST) -> Points:
    """A Bezier curve as points on it, so many that no chord is further from it than `flatness`.

    The number is Wang's bound from the second differences of the control points.

    Args:
        corners: its control points, [degree + 1, 2].

    Raises:
        Unusable: a number is not finite, or more than `most` points are needed.
    """
    if not np.isfinite(corners).all():
        raise Unusable(Fault.DAMAGED, "a coordinate is not finite")
    degree = len(corners) - 1
    bends = np.linalg.norm(np.diff(corners, n=2, axis=0), axis=1).max(initial=0)
    pieces = math.sqrt(degree * (degree - 1) / 8 * bends / flatness)
    if pieces >= most:
        raise Unusable(Fault.TOO_LARGE, f"more than {MOST} points")
    t = np.linspace(0, 1, max(math.ceil(pieces), 1) + 1)[:, None]
    weights = [math.comb(degree, k) * t**k * (1 - t) ** (degree - k) for k in range(degree + 1)]
    return np.asarray(np.concatenate(weights, axis=1) @ corners)


def _libraries() -> tuple[Any, Any]:
    """defusedxml and svgelements.

    Raises:
        LepbenchError: they are not installed.
    """
    try:
        import defusedxml.ElementTree
        import svgelements
    except ImportError as error:
        raise LepbenchError("SVG files need more libraries", "pip install 'lepbench[sketches]'") from error
    return defusedxml, svgelements
