"""The recipe that trains the matcher: free-hand sketches beside renders of the same scenes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from lepbench.config import Config
from lepbench.judges.matcher import Matcher
from lepbench.mini.corpus import Range, degrade, drawn, renders
from lepbench.mini.judge import contrastive_loss
from lepbench.mini.training import Fit, Trainer, device
from lepbench.seeds import derive_seed
from lepbench.sketchworld import LEVELS, SIZE, Scene, freehand, scene


class Pose(Config):
    """How far a sketch is moved against its picture.

    Attributes:
        shift: largest displacement, as a share of the side.
        stretch: largest change of its size, as a share.
        turn: largest rotation, in radians.
    """

    shift: float = 0.12
    stretch: float = 0.2
    turn: float = 0.3


class MatcherRecipe(Pose):
    """How the matcher is trained: on renders and free-hand sketches of the same scenes, posed apart."""

    train: Range
    fit: Fit


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


def posed(strokes: Tensor, recipe: Pose, rng: torch.Generator) -> Tensor:
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
    return np.asarray(drawn("freehand", _sketch, span, cache))


def _sketch(span: Range, index: int) -> NDArray[np.uint8]:
    there = scene(span.split, index, span.things)
    level = LEVELS[derive_seed("matcher level", there.id) % len(LEVELS)]
    return freehand(there, level, SIZE).raster.astype(np.uint8) * 255
