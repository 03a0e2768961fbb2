"""Renders by the thousand for training: drawn once, kept as a memory-mapped file."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lepbench.config import Config
from lepbench.files import atomic_path
from lepbench.images import to_tensor
from lepbench.sketchworld import ATTRIBUTES, SIZE, VERSION, Scene, render, scene

CHUNK = 64
"""Scenes that a process draws at a time."""


class Range(Config):
    """Consecutive scenes of a split; `things` 1 or 2 restricts them, null is the usual mixture."""

    split: str = "train"
    start: int = 0
    count: int
    things: int | None = None

    def scenes(self) -> list[Scene]:
        return [scene(self.split, i, self.things) for i in range(self.start, self.start + self.count)]


@dataclass(frozen=True)
class Renders:
    """The drawn scenes of a range: `pixels` is uint8 [N, 64, 64, 4], a picture and its mask."""

    scenes: list[Scene]
    pixels: NDArray[np.uint8]

    def images(self, rows: Tensor | list[int]) -> Tensor:
        """float32 [B, 3, 64, 64] in [0, 1]."""
        return to_tensor(self.pixels[np.asarray(rows)][..., :3])

    def masks(self, rows: Tensor | list[int]) -> Tensor:
        """bool [B, 64, 64], the pixels of any thing."""
        return torch.from_numpy(self.pixels[np.asarray(rows)][..., 3] > 0)

    def captions(self, rows: Tensor | list[int]) -> list[str]:
        return [self.scenes[i].caption for i in np.asarray(rows).tolist()]


def renders(span: Range, cache: Path) -> Renders:
    """Draw a range of scenes, or map the file that holds them already."""
    return Renders(span.scenes(), drawn("renders", _draw, span, cache))


def drawn(
    kind: str, draw: Callable[[Range, int], NDArray[np.uint8]], span: Range, cache: Path
) -> NDArray[np.uint8]:
    """A map of each scene of a range, uint8 [N, ...], drawn unless a file holds them already.

    Args:
        kind: how the file's name begins.
        draw: from the range and the number of a scene to its map; a function that other processes can import.
    """
    path = cache / f"{kind}-v{VERSION}-{span.split}-{span.start}-{span.count}-{span.things or 'mixed'}.npy"
    if not path.exists():
        maps = np.stack(_draw_all(partial(draw, span), range(span.start, span.start + span.count)))
        with atomic_path(path) as partial_file, partial_file.open("wb") as stream:
            np.save(stream, maps)
    kept: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    return kept


def _draw_all(draw: Callable[[int], NDArray[np.uint8]], numbers: range) -> list[NDArray[np.uint8]]:
    """Every map, by a process a core where there are many."""
    if len(numbers) <= CHUNK:
        return [draw(number) for number in numbers]
    # Spawned, since a fork of a process with threads, such as torch's or Ray's, may hang or crash.
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        return list(pool.map(draw, numbers, chunksize=CHUNK))


def _draw(span: Range, index: int) -> NDArray[np.uint8]:
    rendering = render(scene(span.split, index, span.things), SIZE)
    mask = rendering.mask.astype(np.uint8) * 255
    return np.concatenate([rendering.image, mask[..., None]], axis=-1)


def attribute_labels(scenes: list[Scene]) -> dict[str, Tensor]:
    """int64 [N] class numbers of each attribute of one-thing scenes, in the order of `ATTRIBUTES`."""
    values = {name: [getattr(s.things[0], name) for s in scenes] for name in ("shape", "colour", "texture")}
    values["background"] = [s.background for s in scenes]
    return {
        name: torch.tensor([ATTRIBUTES[name].index(value) for value in values[name]], dtype=torch.long)
        for name in ATTRIBUTES
    }


def degrade(images: Tensor, rng: torch.Generator) -> Tensor:
    """Blur or noise a batch [B, 3, H, W] at random strengths, so that a network sees them in training.

    Half the pictures stay; the others get a Gaussian blur of 0.3 to 1.5 px or noise of up to 0.15.
    """
    from kornia.filters import gaussian_blur2d

    batch = images.shape[0]
    kind = torch.rand(batch, generator=rng)
    sigma = 0.3 + 1.2 * torch.rand(batch, 1, generator=rng).expand(-1, 2)
    blurred = gaussian_blur2d(images, (7, 7), sigma)
    strength = 0.15 * torch.rand(batch, 1, 1, 1, generator=rng)
    noisy = (images + strength * torch.randn(images.shape, generator=rng)).clamp(0, 1)
    pick = kind[:, None, None, None]
    return torch.where(pick < 0.25, blurred, torch.where(pick < 0.5, noisy, images))
