"""The object classes of sketchworld: each a list of named parts, drawn back to front.

Coordinates are unit ones: x to the right, y down, the object within [-1, 1] on both axes. A part painted
`main` takes the object's colour and texture; one painted `accent` takes the scene's accent colour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lepbench.strokes import Points

Paint = Literal["main", "accent"]


@dataclass(frozen=True)
class Part:
    """A closed polygon with a name; `points` is float64 [N, 2] in unit coordinates."""

    name: str
    points: Points
    paint: Paint = "main"


Pair = tuple[float, float]
"""A point, or two radii, across and down."""
SHAPES: dict[str, tuple[Part, ...]] = {}


def shape(build: Callable[[], Sequence[Part]]) -> Callable[[], Sequence[Part]]:
    """File a class under its function's name; its polygons are built once."""
    SHAPES[build.__name__] = tuple(build())
    return build


def polygon(*points: Pair) -> Points:
    return np.array(points, dtype=np.float64)


def rectangle(left: float, top: float, right: float, bottom: float) -> Points:
    return polygon((left, top), (right, top), (right, bottom), (left, bottom))


def arc(centre: Pair, radii: Pair, start: float, end: float, *, n: int = 24) -> Points:
    """Points on an ellipse from angle `start` to `end` in degrees, clockwise on screen from the right."""
    (x, y), (rx, ry) = centre, radii
    angle = np.radians(np.linspace(start, end, n))
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


def ellipse(centre: Pair, radii: Pair, tilt: float = 0.0) -> Points:
    points = arc((0, 0), radii, 0, 360 - 360 / 28, n=28)
    cos, sin = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
    turned: Points = points @ np.array([[cos, sin], [-sin, cos]])
    return np.add(turned, centre)


def join(*runs: Points) -> Points:
    return np.concatenate(runs)


def mirrored(points: Points) -> Points:
    return points[::-1] * (-1, 1)


@shape
def house() -> list[Part]:
    return [
        Part("chimney", rectangle(0.38, -0.85, 0.62, -0.3), "accent"),
        Part("wall", rectangle(-0.75, -0.15, 0.75, 0.9)),
        Part("roof", polygon((-0.98, -0.12), (0, -0.95), (0.98, -0.12)), "accent"),
        Part("door", rectangle(-0.5, 0.25, -0.1, 0.9), "accent"),
        Part("window", rectangle(0.2, 0.15, 0.56, 0.5), "accent"),
    ]


@shape
def tree() -> list[Part]:
    return [
        Part("trunk", polygon((-0.16, 0.2), (0.16, 0.2), (0.24, 0.97), (-0.24, 0.97)), "accent"),
        Part("left crown", ellipse((-0.42, 0.02), (0.46, 0.42))),
        Part("right crown", ellipse((0.42, 0.02), (0.46, 0.42))),
        Part("top crown", ellipse((0, -0.42), (0.56, 0.54))),
    ]


@shape
def fish() -> list[Part]:
    return [
        Part("tail", polygon((0.42, 0), (0.98, -0.55), (0.84, 0), (0.98, 0.55))),
        Part("fin", polygon((-0.3, -0.38), (0.1, -0.78), (0.32, -0.34)), "accent"),
        Part(
            "body",
            join(arc((-0.15, 0.25), (0.85, 0.72), 200, 325), arc((-0.15, -0.25), (0.85, 0.72), 35, 160)),
        ),
        Part("eye", ellipse((-0.56, -0.1), (0.12, 0.12)), "accent"),
    ]


@shape
def boat() -> list[Part]:
    return [
        Part("mast", rectangle(-0.06, -0.95, 0.08, 0.4), "accent"),
        Part("sail", polygon((0.16, -0.9), (0.86, 0.26), (0.16, 0.26))),
        Part("jib", polygon((-0.14, -0.62), (-0.14, 0.26), (-0.76, 0.26))),
        Part("hull", polygon((-0.98, 0.4), (0.98, 0.4), (0.66, 0.9), (-0.66, 0.9)), "accent"),
    ]


@shape
def cup() -> list[Part]:
    handle = join(arc((0.5, 0.05), (0.48, 0.44), -90, 90), arc((0.5, 0.05), (0.28, 0.24), 90, -90))
    return [
        Part("handle", handle, "accent"),
        Part("body", polygon((-0.8, -0.62), (0.6, -0.62), (0.46, 0.78), (-0.66, 0.78))),
        Part("rim", rectangle(-0.86, -0.78, 0.66, -0.52), "accent"),
    ]


@shape
def mushroom() -> list[Part]:
    return [
        Part("stem", polygon((-0.22, 0), (0.22, 0), (0.32, 0.95), (-0.32, 0.95)), "accent"),
        Part("cap", join(arc((0, 0.1), (0.96, 1.02), 180, 360), arc((0, 0.1), (0.96, 0.16), 0, 180))),
    ]


@shape
def star() -> list[Part]:
    angle = np.radians(np.arange(10) * 36 - 90)
    radius = np.where(np.arange(10) % 2 == 0, 1.0, 0.45)
    return [Part("star", np.stack([radius * np.cos(angle), radius * np.sin(angle) + 0.06], axis=1))]


@shape
def heart() -> list[Part]:
    t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return [Part("heart", np.stack([x / 17, -y / 17 - 0.12], axis=1))]


@shape
def flower() -> list[Part]:
    petals = [
        Part(
            f"petal {i + 1}",
            ellipse((0.42 * np.cos(a), -0.38 + 0.42 * np.sin(a)), (0.3, 0.26), np.degrees(a)),
        )
        for i, a in enumerate(np.radians(np.arange(5) * 72 - 90))
    ]
    return [
        Part("stem", rectangle(-0.07, -0.1, 0.07, 0.98), "accent"),
        Part("leaf", ellipse((0.32, 0.62), (0.34, 0.15), -28), "accent"),
        *petals,
        Part("centre", ellipse((0, -0.38), (0.23, 0.23)), "accent"),
    ]


@shape
def cat() -> list[Part]:
    ear = polygon((-0.82, -0.15), (-0.78, -0.98), (-0.14, -0.52))
    return [
        Part("left ear", ear),
        Part("right ear", mirrored(ear)),
        Part("head", ellipse((0, 0.16), (0.9, 0.76))),
        Part("left eye", ellipse((-0.36, 0.0), (0.13, 0.18)), "accent"),
        Part("right eye", ellipse((0.36, 0.0), (0.13, 0.18)), "accent"),
        Part("nose", polygon((-0.17, 0.34), (0.17, 0.34), (0, 0.56)), "accent"),
    ]


@shape
def car() -> list[Part]:
    return [
        Part("cabin", polygon((-0.6, -0.02), (-0.38, -0.56), (0.34, -0.56), (0.62, -0.02))),
        Part("window", polygon((-0.4, -0.06), (-0.27, -0.4), (0.25, -0.4), (0.41, -0.06)), "accent"),
        Part("body", polygon((-0.98, 0.02), (0.84, -0.04), (0.98, 0.18), (0.98, 0.48), (-0.98, 0.48))),
        Part("rear wheel", ellipse((-0.52, 0.5), (0.25, 0.25)), "accent"),
        Part("front wheel", ellipse((0.52, 0.5), (0.25, 0.25)), "accent"),
    ]


@shape
def apple() -> list[Part]:
    side = join(
        arc((0.36, -0.02), (0.54, 0.58), -110, 60, n=18), polygon((0.34, 0.92), (0.12, 0.9), (0, 0.82))
    )
    return [
        Part("stalk", polygon((-0.07, -0.34), (0.02, -0.98), (0.18, -0.94), (0.09, -0.34)), "accent"),
        Part("fruit", join(polygon((0, -0.44)), side, mirrored(side))),
        Part("leaf", ellipse((0.42, -0.76), (0.3, 0.14), -22), "accent"),
    ]


@shape
def umbrella() -> list[Part]:
    scallops = [arc((x, 0.02), (0.32, 0.16), 0, -180, n=8) for x in (0.64, 0.0, -0.64)]
    hook = join(
        arc((-0.17, 0.68), (0.25, 0.28), 0, 180, n=12), arc((-0.17, 0.68), (0.11, 0.14), 180, 0, n=12)
    )
    return [
        Part("handle", join(polygon((-0.06, -0.4), (0.08, -0.4)), hook), "accent"),
        Part("canopy", join(arc((0, 0.02), (0.96, 0.94), 180, 360), *scallops)),
    ]


@shape
def rocket() -> list[Part]:
    fin = polygon((-0.3, 0.2), (-0.72, 0.82), (-0.3, 0.66))
    return [
        Part("flame", polygon((-0.22, 0.62), (0.22, 0.62), (0, 0.99)), "accent"),
        Part("left fin", fin, "accent"),
        Part("right fin", mirrored(fin), "accent"),
        Part("body", join(arc((0, -0.2), (0.38, 0.78), 180, 360), polygon((0.38, 0.68), (-0.38, 0.68)))),
        Part("porthole", ellipse((0, -0.24), (0.17, 0.17)), "accent"),
    ]


@shape
def butterfly() -> list[Part]:
    upper, lower = ellipse((-0.54, -0.36), (0.5, 0.4), 28), ellipse((-0.44, 0.42), (0.38, 0.36), -28)
    return [
        Part("left lower wing", lower),
        Part("right lower wing", mirrored(lower)),
        Part("left upper wing", upper),
        Part("right upper wing", mirrored(upper)),
        Part("body", ellipse((0, 0.02), (0.12, 0.72)), "accent"),
    ]


@shape
def crown() -> list[Part]:
    points = [
        (-0.92, 0.4),
        (-0.98, -0.6),
        (-0.48, -0.08),
        (0, -0.82),
        (0.48, -0.08),
        (0.98, -0.6),
        (0.92, 0.4),
    ]
    return [
        Part("points", polygon(*points)),
        Part("band", rectangle(-0.92, 0.4, 0.92, 0.74), "accent"),
    ]


@shape
def moon() -> list[Part]:
    return [
        Part(
            "moon", join(arc((0, 0), (0.96, 0.96), 50, 310, n=40), arc((0.42, 0), (0.7, 0.76), 285, 75, n=30))
        )
    ]


@shape
def lamp() -> list[Part]:
    return [
        Part("pole", rectangle(-0.08, -0.1, 0.08, 0.8), "accent"),
        Part("foot", ellipse((0, 0.82), (0.5, 0.15)), "accent"),
        Part("shade", polygon((-0.4, -0.92), (0.4, -0.92), (0.84, 0.06), (-0.84, 0.06))),
    ]
