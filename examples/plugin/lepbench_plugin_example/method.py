"""Colours the regions that the strokes enclose with the colours that the prompt names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from scipy import ndimage
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.guidance import SamplerSettings
from lepbench.methods import METHODS, Method, MethodConfig, Request

Colour = tuple[float, float, float]
"""RGB in [0, 1]."""
COLOURS: dict[str, Colour] = {
    "black": (0.1, 0.1, 0.1),
    "blue": (0.2, 0.35, 0.8),
    "brown": (0.5, 0.33, 0.2),
    "green": (0.25, 0.6, 0.3),
    "grey": (0.55, 0.55, 0.55),
    "orange": (0.95, 0.55, 0.15),
    "pink": (0.95, 0.6, 0.75),
    "purple": (0.5, 0.3, 0.65),
    "red": (0.85, 0.2, 0.2),
    "white": (0.95, 0.95, 0.95),
    "yellow": (0.95, 0.85, 0.25),
}
TONES = {"light": 1.0, "pale": 1.0, "dark": 0.0}
"""Words before a colour, and the grey that it is mixed with."""


@METHODS.register("colouring-book")
class ColouringBookConfig(MethodConfig):
    """Settings of the method, as MODEL.yaml gives them."""

    needs_backbone: ClassVar[bool] = False
    name: Literal["colouring-book"] = "colouring-book"
    gap: int = Field(default=1, ge=0, le=16)
    """Half the width of the gaps between strokes that paint does not run through, px."""
    grain: float = Field(default=0.02, ge=0, le=1)
    """Standard deviation of the noise on every pixel, drawn from the item's seed."""

    def build(self, backbone: Backbone | None, sampler: SamplerSettings) -> ColouringBook:
        return ColouringBook(self)


@dataclass(frozen=True)
class ColouringBook(Method):
    """Paints flat regions: the largest is the ground, the others are the things."""

    config: ColouringBookConfig

    def draw(self, requests: Sequence[Request]) -> Tensor:
        return torch.stack([self._draw_one(request) for request in requests])

    def _draw_one(self, request: Request) -> Tensor:
        """One picture, float32 [3, H, W] in [0, 1]."""
        regions = find_regions(request.sketch, self.config.gap)
        picture = torch.from_numpy(colour_regions(regions, find_colours(request.prompt)))
        generator = torch.Generator().manual_seed(request.seed)
        noise = torch.randn(picture.shape, generator=generator)
        return (picture + self.config.grain * noise).clamp(0, 1)


def find_colours(prompt: str) -> list[Colour]:
    """The colours that a prompt names, in its order, such as "dark blue"; grey alone where it names none."""
    words = prompt.lower().split()
    found = [mix_tone(COLOURS[word], before) for before, word in pairwise(["", *words]) if word in COLOURS]
    return found or [COLOURS["grey"]]


def mix_tone(colour: Colour, tone: str) -> Colour:
    """A colour, mixed with as much white or black where the word before it says so."""
    red, green, blue = ((part + TONES[tone]) / 2 if tone in TONES else part for part in colour)
    return red, green, blue


def find_regions(sketch: NDArray[np.bool_], gap: int) -> NDArray[np.intp]:
    """The number of the region of every pixel, from 0: a stroke belongs to the region nearest to it.

    Args:
        sketch: bool [H, W], true on a stroke.
        gap: by which strokes are widened to close what they leave open, px.
    """
    walls = ndimage.distance_transform_edt(~sketch) <= gap if sketch.any() else sketch
    regions, count = ndimage.label(~walls)
    if count == 0:
        return np.zeros(sketch.shape, np.intp)
    nearest = ndimage.distance_transform_edt(regions == 0, return_distances=False, return_indices=True)
    return np.asarray(regions[tuple(nearest)] - 1, np.intp)


def colour_regions(regions: NDArray[np.intp], colours: Sequence[Colour]) -> NDArray[np.float32]:
    """Regions in flat colours, float32 [3, H, W] in [0, 1].

    The largest has the last colour, which a caption names of the ground; the others take turns at the rest.

    Args:
        regions: numbers from 0, [H, W].
        colours: one or more.
    """
    sizes = np.bincount(regions.ravel())
    of_things = colours[:-1] or [COLOURS["white"]]
    palette = np.array([of_things[number % len(of_things)] for number in range(len(sizes))], np.float32)
    palette[sizes.argmax()] = colours[-1]
    return np.moveaxis(palette[regions], -1, 0).copy()
