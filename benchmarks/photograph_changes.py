"""Changes of pictures in steps, and the pictures they are made of, for `photograph_thresholds.py`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from photographs import (
    SIZE,
    Picture,
    add_noise,
    as_pixels,
    change_brightness,
    change_contrast,
    change_gamma,
    coarsen,
    compress,
    fade,
    load_set,
    load_textures,
    retexture,
    warp,
)

from lepbench.backbones import Backbone, load_backbone
from lepbench.images import Pixels, to_pixels, to_tensor
from lepbench.sketchworld import render, scene

SETS = ("natural", "hard", "sketchworld")
SCENES = 24
TEXTURE = 0.05
"""Deviation of the texture laid on sketchworld's renders, as a share of the range."""
AMPLITUDES = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)
GUIDED = 2.0
"""Displacement in px of a picture that follows its sketch well."""


class Set(NamedTuple):
    """Pictures, and where outlines are known, their exact contours, bool [N, H, W]."""

    pictures: list[Picture]
    contours: NDArray[np.bool_] | None = None


Change = Callable[[Set, int, float], Pixels]
"""A set, a picture's number in it and a strength to the changed picture."""


def read_set(name: str) -> Set:
    """A set by its name or folder."""
    if name != "sketchworld":
        return Set(load_set(name))
    scenes = (scene("test", index) for index in range(10 * SCENES))
    plain = [one for one in scenes if all(thing.texture == "plain" for thing in one.things)][:SCENES]
    drawn = [render(one, SIZE) for one in plain]
    pictures = [Picture(one.id, r.image) for one, r in zip(plain, drawn, strict=True)]
    return Set(pictures, np.stack([r.contours for r in drawn]))


@cache
def every_texture() -> list[NDArray[np.float32]]:
    """The textures, read once."""
    return load_textures()


def texture_of(number: int) -> NDArray[np.float32]:
    """One of the textures, the same for a picture at every strength."""
    return every_texture()[number % len(every_texture())]


@cache
def autoencoder() -> Backbone:
    """`mini@1`: it learnt sketchworld, and of a photograph keeps outlines, but not colours or texture."""
    return load_backbone("mini@1")


def autoencode(pixels: Pixels) -> Pixels:
    """Through an autoencoder and back."""
    with torch.no_grad():
        latents = autoencoder().encode_images(to_tensor(pixels)[None])
        return to_pixels(autoencoder().decode_latents(latents))[0]


def guide(of: Set, number: int, amplitude: float) -> Pixels:
    """What a guided model makes of a photograph: its outlines, displaced, under another texture."""
    return warp(retexture(of.pictures[number].pixels, texture_of(number)), amplitude, number)


def lay_texture(of: Set, number: int, deviation: float) -> Pixels:
    """A render under a photographed texture."""
    pixels = of.pictures[number].pixels.astype(np.float32)
    return as_pixels(pixels + 255 * deviation * texture_of(number)[..., None])


def guide_render(of: Set, number: int, amplitude: float) -> Pixels:
    """A displaced render under a photographed texture."""
    return warp(lay_texture(of, number, TEXTURE), amplitude, number)


LADDERS: dict[str, tuple[Change, tuple[float, ...]]] = {
    "guided": (guide, AMPLITUDES),
    "warp": (lambda s, k, a: warp(s.pictures[k].pixels, a, k), AMPLITUDES),
    "fade": (
        lambda s, k, share: fade(s.pictures[k].pixels, s.pictures[k - 1].pixels, share),
        (0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
    ),
    "coarse": (lambda s, k, f: coarsen(s.pictures[k].pixels, f), (1.0, 2.0, 4.0, 8.0, 16.0)),
}
"""Changes in steps, each worse than the one before."""
NUISANCES: dict[str, tuple[Change, tuple[float, ...]]] = {
    "brightness": (lambda s, k, d: change_brightness(s.pictures[k].pixels, d), (-0.1, 0.1)),
    "contrast": (lambda s, k, f: change_contrast(s.pictures[k].pixels, f), (0.7, 1.3)),
    "gamma": (lambda s, k, g: change_gamma(s.pictures[k].pixels, g), (0.7, 1.4)),
    "jpeg": (lambda s, k, q: compress(s.pictures[k].pixels, int(q)), (75.0, 30.0)),
    "noise": (lambda s, k, d: add_noise(s.pictures[k].pixels, d, k), (0.02,)),
    "texture": (lambda s, k, f: retexture(s.pictures[k].pixels, texture_of(k), f), (0.0, 1.0, 2.0)),
    "autoencoded": (lambda s, k, _: autoencode(s.pictures[k].pixels), (1.0,)),
}
"""Changes that move no outline."""
RENDERED: dict[str, tuple[Change, tuple[float, ...]]] = {
    "guided": (guide_render, AMPLITUDES),
    "texture": (lay_texture, (0.0, 0.02, 0.05, 0.1)),
}
"""Changes of sketchworld's renders."""
