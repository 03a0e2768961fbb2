"""Does a picture show what a sketch means, wherever it shows it? A small network of two towers says."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from lepbench.config import Config
from lepbench.files import atomic_path
from lepbench.mini.corpus import Range, degrade, renders
from lepbench.mini.judge import contrastive_loss
from lepbench.mini.nets import Residual, load_weights
from lepbench.mini.paths import MATCHER
from lepbench.mini.training import Fit, Trainer, device
from lepbench.seeds import derive_seed
from lepbench.sketchworld import LEVELS, SIZE, VERSION, Scene, freehand, scene

WIDTH = 64


class MatcherRecipe(Config):
    """How the matcher is trained: on renders and free-hand sketches of the same scenes, posed apart.

    Attributes:
        shift: largest displacement of a sketch against its picture, as a share of the side.
        stretch: largest change of its size, as a share.
        turn: largest rotation, in radians.
    """

    train: Range
    shift: float = 0.12
    stretch: float = 0.2
    turn: float = 0.3
    fit: Fit


class Matcher(nn.Module):
    """Two towers into one space: sketches and pictures of the same things lie close."""

    def __init__(self) -> None:
        super().__init__()
        self.sketch, self.picture = _tower(1), _tower(3)
        self.log_scale = nn.Parameter(torch.tensor(2.5))

    def sketch_features(self, sketches: Tensor) -> Tensor:
        """Unit features [B, 64] of strokes, bool or float [B, 64, 64], 1 on a stroke."""
        return functional.normalize(self.sketch(sketches.float()[:, None]).float(), dim=1)

    def picture_features(self, images: Tensor) -> Tensor:
        """Unit features [B, 64] of pictures, float [B, 3, 64, 64] in [0, 1]."""
        return functional.normalize(self.picture(images * 2 - 1).float(), dim=1)

    def forward(self, sketches: Tensor, images: Tensor) -> Tensor:
        """Scaled similarities [B, B], a row a sketch."""
        return self.log_scale.exp() * self.sketch_features(sketches) @ self.picture_features(images).T


def _tower(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, 24, 3, stride=2, padding=1),
        nn.ReLU(),
        Residual(24, 32),
        Residual(32, 64, 2),
        Residual(64, 96, 2),
        Residual(96, 128, 2),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(128 * 4, WIDTH),
    )


def train(recipe: MatcherRecipe, folder: Path, cache: Path) -> Matcher:
    """Train the matcher contrastively; returned in evaluation mode."""
    torch.manual_seed(recipe.fit.seed)
    corpus, strokes = renders(recipe.train, cache), sketches(recipe.train, cache)
    kinds = kinds_of(corpus.scenes)
    model = Matcher().to(device())

    def step(rng: torch.Generator) -> dict[str, Tensor]:
        rows = torch.randint(len(kinds), (recipe.fit.batch,), generator=rng)
        drawn = posed(torch.from_numpy(strokes[rows.numpy()]).float() / 255, recipe, rng)
        logits = model(drawn.to(device()), degrade(corpus.images(rows), rng).to(device()))
        return {"loss": contrastive_loss(logits.float(), kinds[rows, None])}

    Trainer(model, step, recipe.fit, folder).run("matcher")
    return model


def kinds_of(scenes: list[Scene]) -> Tensor:
    """int64 [N]: equal numbers where the scenes hold the same shapes, in whatever order and place."""
    names = [tuple(sorted(thing.shape for thing in s.things)) for s in scenes]
    numbers = {name: number for number, name in enumerate(sorted(set(names)))}
    return torch.tensor([numbers[name] for name in names], dtype=torch.long)


def posed(strokes: Tensor, recipe: MatcherRecipe, rng: torch.Generator) -> Tensor:
    """Each sketch [B, H, W] shifted, sized and turned at random: place tells nothing, only what is drawn."""
    n = len(strokes)
    turn, size, right, down = (2 * torch.rand(n, generator=rng) - 1 for _ in range(4))
    turn, size = turn * recipe.turn, 1 + size * recipe.stretch
    cos, sin = torch.cos(turn) * size, torch.sin(turn) * size
    rows = [torch.stack([cos, -sin, 2 * recipe.shift * right], 1)]
    rows += [torch.stack([sin, cos, 2 * recipe.shift * down], 1)]
    grid = functional.affine_grid(torch.stack(rows, 1), [n, 1, *strokes.shape[1:]], align_corners=False)
    return functional.grid_sample(strokes[:, None], grid, align_corners=False)[:, 0]


def sketches(span: Range, cache: Path) -> NDArray[np.uint8]:
    """Free-hand sketches of a range, uint8 [N, 64, 64] with strokes 255, each at a level of its own."""
    path = cache / f"freehand-v{VERSION}-{span.split}-{span.start}-{span.count}-{span.things or 'mixed'}.npy"
    if not path.exists():
        with atomic_path(path) as partial_file, ProcessPoolExecutor(os.cpu_count()) as pool:
            numbers = range(span.start, span.start + span.count)
            drawn = list(pool.map(partial(_sketch, span), numbers, chunksize=64))
            with partial_file.open("wb") as stream:
                np.save(stream, np.stack(drawn))
    return np.asarray(np.load(path, mmap_mode="r"))


def _sketch(span: Range, index: int) -> NDArray[np.uint8]:
    there = scene(span.split, index, span.things)
    level = LEVELS[derive_seed("matcher level", there.id) % len(LEVELS)]
    return freehand(there, level, SIZE).raster.astype(np.uint8) * 255


def load_matcher(folder: Path = MATCHER) -> Matcher:
    """The matcher kept in a folder.

    Raises:
        LepbenchError: the weights are missing or damaged.
    """
    return load_weights(Matcher(), folder)
