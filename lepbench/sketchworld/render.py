"""Rendering of scenes: image, object masks and exact contours."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lepbench.sketchworld.palette import BACKGROUNDS, COLOURS, texture_colour
from lepbench.sketchworld.scene import Scene
from lepbench.sketchworld.shapes import SHAPES
from lepbench.sketchworld.thing import Thing
from lepbench.strokes import Points

SIZE = 64
SUPERSAMPLING = 4
# cv2 takes polygon corners as fixed-point integers; 8 fractional bits are 1/256 of a supersampled pixel.
FRACTION_BITS = 8
# The period of a texture in px of the 64 px picture: wide enough to survive a VAE that shrinks 4 times.
PERIOD = 9.0
# A label is 1 + 64 * thing + 2 * part + (1 where the texture's second colour lies); 0 is the background.
LABELS_A_THING = 64


@dataclass(frozen=True)
class Rendering:
    """What a scene looks like.

    Attributes:
        image: uint8 [H, W, 3].
        masks: bool [things, H, W], the visible pixels of each thing (covered by half or more).
        contours: bool [H, W], the visible outlines of all parts, one pixel wide; textures have no contour.
    """

    image: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    contours: NDArray[np.bool_]

    @property
    def mask(self) -> NDArray[np.bool_]:
        """bool [H, W], the pixels of any thing."""
        joined: NDArray[np.bool_] = np.logical_or.reduce(self.masks, axis=0)
        return joined


def render(scene: Scene, size: int = SIZE) -> Rendering:
    """Draw a scene at `size` x `size` px from a map of labels supersampled 4 times on each axis."""
    labels = label_map(scene, size)
    return Rendering(_image(scene, labels, size), _masks(scene, labels, size), _contours(labels))


def label_map(scene: Scene, size: int) -> NDArray[np.uint8]:
    """uint8 [4 * size, 4 * size]: which part of which thing is seen at each supersampled pixel."""
    side = size * SUPERSAMPLING
    labels = np.zeros((side, side), np.uint8)
    for number, thing in enumerate(scene.things):
        pattern = None if thing.texture == "plain" else _pattern(thing, side)
        for order, part in enumerate(SHAPES[thing.shape]):
            label = 1 + number * LABELS_A_THING + 2 * order
            outline = _fixed_point(thing.to_picture(part.points, side))
            cv2.fillPoly(labels, [outline], label, lineType=cv2.LINE_8, shift=FRACTION_BITS)
            if pattern is not None and part.paint == "main":
                labels[(labels == label) & pattern] = label + 1
    return labels


def region_map(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Labels without their texture bit: one number a part, 0 the background."""
    regions: NDArray[np.uint8] = (labels + 1) // 2
    return regions


def _fixed_point(points: Points) -> NDArray[np.int32]:
    """Continuous coordinates to cv2's, whose pixel centres lie on the integers."""
    return np.round((points - 0.5) * (1 << FRACTION_BITS)).astype(np.int32)


def _pattern(thing: Thing, side: int) -> NDArray[np.bool_]:
    """bool [side, side]: where a texture's second colour lies; it turns and moves with its thing."""
    period = PERIOD * SUPERSAMPLING
    angle = np.radians(thing.tilt + 35)
    axis = np.arange(side, dtype=np.float32)
    x, y = axis[None, :] - thing.x * side, axis[:, None] - thing.y * side
    along = (x * np.cos(angle) + y * np.sin(angle)).astype(np.float32)
    if thing.texture == "striped":
        striped: NDArray[np.bool_] = np.mod(along, period) < period / 2
        return striped
    across = (-x * np.sin(angle) + y * np.cos(angle)).astype(np.float32)
    u, v = np.mod(along, period) - period / 2, np.mod(across, period) - period / 2
    dotted: NDArray[np.bool_] = u * u + v * v < (0.32 * period) ** 2
    return dotted


def _image(scene: Scene, labels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    ground = BACKGROUNDS[scene.background]
    palette = np.zeros((256, 4), np.uint8)
    for number, thing in enumerate(scene.things):
        main = COLOURS[thing.colour]
        for order, part in enumerate(SHAPES[thing.shape]):
            label = 1 + number * LABELS_A_THING + 2 * order
            palette[label] = (*(main if part.paint == "main" else ground.accent), 255)
            palette[label + 1] = (*texture_colour(main), 255)
    area = cv2.resize(palette[labels], (size, size), interpolation=cv2.INTER_AREA).astype(np.float32)
    ramp = np.linspace(0, 1, size, dtype=np.float32)[:, None]
    top, bottom = (np.array(colour, np.float32) for colour in (ground.top, ground.bottom))
    backdrop = ((1 - ramp) * top + ramp * bottom)[:, None, :]
    mixed: NDArray = area[..., :3] + (1 - area[..., 3:] / 255) * backdrop
    image: NDArray[np.uint8] = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
    return image


def _masks(scene: Scene, labels: NDArray[np.uint8], size: int) -> NDArray[np.bool_]:
    owners = (labels.astype(np.int16) - 1) // LABELS_A_THING
    covered = [
        cv2.resize((owners == n).astype(np.float32), (size, size), interpolation=cv2.INTER_AREA) >= 0.5
        for n in range(len(scene.things))
    ]
    return np.stack(covered)


def _contours(labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """On a contour is a pixel whose region, at its centre, is not that of its right or lower neighbour."""
    half = SUPERSAMPLING // 2
    regions = region_map(labels)[half::SUPERSAMPLING, half::SUPERSAMPLING]
    contours = np.zeros(regions.shape, np.bool_)
    contours[:, :-1] |= regions[:, :-1] != regions[:, 1:]
    contours[:-1, :] |= regions[:-1, :] != regions[1:, :]
    return contours
