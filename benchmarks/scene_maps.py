"""Scenes of sketchworld as triplets, with any of the spatial maps that `TARGETS` names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from lepbench.data.read import Triplet
from lepbench.detectors import Canny, identify_detector
from lepbench.images import to_tensor
from lepbench.sketchworld import SHAPES, SIZE, VERSION, Scene, render, scene
from lepbench.sketchworld.render import LABELS_A_THING, label_map

DETECTOR = Canny(low=0.3, high=0.6)
SOFTNESS = 2.0
"""Sigma in px of the blur that makes a mask a saliency map."""
LAYERS = 3
"""That a depth-like map tells apart; parts on still more lie in the last."""
RASTER = 256
"""Side in px on which parts of a shape are laid on each other."""
SHARED = 0.02
"""Share of the smaller of two parts from which on they overlap, rather than touch."""


@dataclass(frozen=True)
class Target:
    """A kind of spatial map.

    Attributes:
        identity: what its numbers depend on, for caches.
        draw: the map of a scene, bool or uint8 [SIZE, SIZE].
    """

    identity: str
    draw: Callable[[Scene], NDArray[np.uint8] | NDArray[np.bool_]]


@dataclass(frozen=True)
class Scenes:
    """The first `count` scenes of a split as triplets, with the map asked for."""

    split: str
    count: int
    target: str

    @property
    def identity(self) -> str:
        return f"sketchworld@{VERSION} {self.split} {self.count} {TARGETS[self.target].identity}"

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int, /) -> Triplet:
        place = scene(self.split, index)
        return Triplet(place.id, render(place).image, TARGETS[self.target].draw(place), place.caption)


def draw_edges(place: Scene) -> NDArray[np.bool_]:
    return np.asarray(DETECTOR(to_tensor(render(place).image[None]))[0].numpy(), np.bool_)


def draw_saliency(place: Scene) -> NDArray[np.uint8]:
    """Where things are, as a soft map: 255 well inside."""
    blurred = cv2.GaussianBlur(render(place).mask.astype(np.float32), (0, 0), SOFTNESS)
    return np.rint(255 * blurred).astype(np.uint8)


def draw_depth(place: Scene) -> NDArray[np.uint8]:
    """How near the parts of things are: the ground is 0, the nearest layer 255."""
    greys = np.zeros(256, np.uint8)
    for number, thing in enumerate(place.things):
        for order, layer in enumerate(find_layers(thing.shape)):
            label = 1 + number * LABELS_A_THING + 2 * order
            greys[label : label + 2] = 255 * layer // LAYERS
    return np.asarray(cv2.resize(greys[label_map(place, SIZE)], (SIZE, SIZE), interpolation=cv2.INTER_AREA))


@cache
def find_layers(shape: str) -> tuple[int, ...]:
    """The layer of each part of a shape, from 1: above the parts that it covers, at most `LAYERS`."""
    laid: list[tuple[NDArray[np.bool_], int]] = []
    for part in SHAPES[shape]:
        raster = np.zeros((RASTER, RASTER), np.uint8)
        cv2.fillPoly(raster, [np.rint((part.points + 1) * RASTER / 2).astype(np.int32)], 1)
        own = raster > 0
        covered = [
            layer for other, layer in laid if (own & other).sum() > SHARED * min(own.sum(), other.sum())
        ]
        laid.append((own, min(LAYERS, 1 + max(covered, default=0))))
    return tuple(layer for _, layer in laid)


TARGETS = {
    "edges": Target(identify_detector(DETECTOR), draw_edges),
    "saliency": Target(f"saliency({SOFTNESS})", draw_saliency),
    "depth": Target(f"depth({LAYERS})", draw_depth),
}
