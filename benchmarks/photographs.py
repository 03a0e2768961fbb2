"""Photographs that come with scikit-image and matplotlib, at 512 px, and changes whose effect is known.

Read by `photograph_thresholds.py` and `photograph_attacks.py`; nothing is downloaded.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import skimage.data
from matplotlib.cbook import get_sample_data
from numpy.typing import NDArray
from PIL import Image

from lepbench.files import list_visible
from lepbench.images import SUFFIXES, Pixels, open_rgb, square

SIZE = 512
"""Side in px at which pictures are compared."""
PACKAGED = Path(skimage.data.__file__).parent
NATURAL = (
    "astronaut.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "coins.png",
    "motorcycle_left.png",
    "rocket.jpg",
)
"""Scenes and objects, of scikit-image; matplotlib's portrait is the eighth."""
PORTRAIT = "grace_hopper.jpg"
TEXTURES = ("brick.png", "grass.png", "gravel.png")
HARD = ("clock_motion.png", "hubble_deep_field.jpg", "ihc.png", "moon.png", "retina.jpg", *TEXTURES)
"""Faint, blurred, without objects, or nothing but texture."""
KNOT = 32.0
"""Sigma in px of the smoothness of a displacement."""
GRAIN = 4.0
"""Sigma in px: detail finer than this is texture."""

Soft = NDArray[np.float32]


class Picture(NamedTuple):
    """A picture, uint8 [H, W, 3], by its name."""

    name: str
    pixels: Pixels


def load_set(name: str) -> list[Picture]:
    """The pictures of a set: `natural`, `hard`, or those of a folder."""
    if name == "natural":
        portrait = Path(str(get_sample_data(PORTRAIT, asfileobj=False)))
        return load_pictures([*(PACKAGED / file for file in NATURAL), portrait])
    if name == "hard":
        return load_pictures([PACKAGED / file for file in HARD])
    return load_pictures([path for path in list_visible(Path(name)) if path.suffix.lower() in SUFFIXES])


def load_pictures(paths: Sequence[Path]) -> list[Picture]:
    """Files as squares of `SIZE` px."""
    return [Picture(path.stem, np.array(square(open_rgb(path), SIZE))) for path in paths]


def load_textures() -> list[Soft]:
    """Brick, grass and gravel without shading: deviations of 0.8 to 1 everywhere, float32 [H, W] each."""
    grains = []
    for picture in load_pictures([PACKAGED / file for file in TEXTURES]):
        grey = picture.pixels[..., 0].astype(np.float32)
        fine = grey - cv2.GaussianBlur(grey, (0, 0), GRAIN)
        grains.append(fine / spread(fine))
    return grains


def spread(fine: Soft) -> Soft:
    """Local deviation of detail of mean 0, of its shape."""
    return np.sqrt(cv2.GaussianBlur(fine * fine, (0, 0), 2 * GRAIN) + 1e-6)


def warp(pixels: Pixels, amplitude: float, seed: int) -> Pixels:
    """Displace smoothly and at random, by `amplitude` px (root mean square)."""
    if not amplitude:
        return pixels
    random = np.random.default_rng(seed)
    height, width = pixels.shape[:2]
    field = random.normal(size=(height, width, 2)).astype(np.float32)
    field = cv2.GaussianBlur(field, (0, 0), KNOT)
    field *= amplitude / np.sqrt((field**2).sum(axis=2).mean())
    y, x = np.indices((height, width), dtype=np.float32)
    return cv2.remap(
        pixels, x + field[..., 0], y + field[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )


def retexture(pixels: Pixels, grain: Soft, strength: float = 1.0) -> Pixels:
    """Replace fine detail by another texture, `strength` times as strong in every place; outlines stay."""
    smooth = flatten(pixels)
    detail = (pixels.astype(np.float32) - smooth).mean(axis=2)
    detail -= cv2.GaussianBlur(detail, (0, 0), GRAIN)
    return as_pixels(smooth + strength * (spread(detail) * grain)[..., None])


def flatten(pixels: Pixels) -> Soft:
    """Smooth within outlines by a repeated bilateral filter: float32 [H, W, 3] in 0..255."""
    smooth = pixels.astype(np.float32)
    for _ in range(3):
        smooth = cv2.bilateralFilter(smooth, 9, 30, 3)
    return smooth


def fade(pixels: Pixels, other: Pixels, share: float) -> Pixels:
    """A share of another picture mixed in."""
    return as_pixels((1 - share) * pixels.astype(np.float32) + share * other)


def coarsen(pixels: Pixels, factor: float) -> Pixels:
    """Shrink by a factor and enlarge again."""
    height, width = pixels.shape[:2]
    image = Image.fromarray(pixels)
    small = image.resize((round(width / factor), round(height / factor)), Image.Resampling.BICUBIC)
    return np.array(small.resize((width, height), Image.Resampling.BICUBIC))


def add_noise(pixels: Pixels, deviation: float, seed: int) -> Pixels:
    """Independent noise in every channel, its deviation a share of the range."""
    noise = np.random.default_rng(seed).normal(0, 255 * deviation, pixels.shape)
    return as_pixels(pixels + noise)


def compress(pixels: Pixels, quality: int) -> Pixels:
    """Store as JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.array(Image.open(buffer))


def change_contrast(pixels: Pixels, factor: float) -> Pixels:
    """Contrast about middle grey, times a factor."""
    return as_pixels(127.5 + factor * (pixels.astype(np.float32) - 127.5))


def change_gamma(pixels: Pixels, gamma: float) -> Pixels:
    """Values to a power, which darkens the middle tones above 1."""
    return as_pixels(255 * (pixels.astype(np.float32) / 255) ** gamma)


def change_brightness(pixels: Pixels, shift: float) -> Pixels:
    """A share of the range added."""
    return as_pixels(pixels + 255.0 * shift)


def as_pixels(values: NDArray) -> Pixels:
    """Values in 0..255, rounded and clipped."""
    return np.clip(np.round(values), 0, 255).astype(np.uint8)
