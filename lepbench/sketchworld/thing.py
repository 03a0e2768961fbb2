"""One thing in a scene: what it is, how it looks and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lepbench.strokes import Points

Relation = Literal["left of", "right of", "above", "below"]


@dataclass(frozen=True)
class Thing:
    """A shape, its look and its place: `x`, `y`, `radius` in sides of the picture, `tilt` in degrees."""

    shape: str
    colour: str
    texture: str
    x: float
    y: float
    radius: float
    tilt: float

    def to_picture(self, points: Points, size: float) -> Points:
        """Unit coordinates [N, 2] to picture coordinates in px (a pixel's centre at +0.5)."""
        angle = np.radians(self.tilt)
        cos, sin = np.cos(angle), np.sin(angle)
        turned: Points = points @ np.array([[cos, sin], [-sin, cos]])
        placed: Points = turned * (self.radius * size) + (self.x * size, self.y * size)
        return placed
