"""The recipe that trains the matcher of the emoji: line drawings beside pictures of the same subjects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lepbench.config import Config
from lepbench.emoji.splits import SPLITS
from lepbench.judges.matcher import Matcher
from lepbench.mini.corpus import degrade
from lepbench.mini.emoji_pictures import Augmentation, EmojiImages, EmojiPictures
from lepbench.mini.judge import contrastive_loss
from lepbench.mini.labels import number_labels
from lepbench.mini.matcher import Pose, posed
from lepbench.mini.training import Fit, Trainer, device
from lepbench.strokes import rasterise


class EmojiMatcherRecipe(Config):
    """How the matcher is trained: on OpenMoji's lines of a subject and its picture in any set, moved apart.

    Attributes:
        mirrored: share of lines and pictures that are mirrored together.
    """

    train: EmojiPictures = EmojiPictures(splits=SPLITS)
    pose: Pose = Pose()
    augmentation: Augmentation = Augmentation(flip=0.0, shrink=0.5, smallest=0.7, shift=4)
    mirrored: float = 0.5
    fit: Fit


def train(recipe: EmojiMatcherRecipe, folder: Path) -> Matcher:
    """Train the matcher contrastively; returned in evaluation mode."""
    torch.manual_seed(recipe.fit.seed)
    corpus = recipe.train.load()
    kinds = number_labels(corpus.table.rows["code"])
    strokes = draw_lines(corpus, kinds)
    model = Matcher().to(device())

    def step(rng: torch.Generator) -> dict[str, Tensor]:
        rows = torch.randint(len(kinds), (recipe.fit.batch,), generator=rng)
        lines = strokes[kinds[rows]].float()
        mirrored = torch.rand(len(rows), 1, 1, generator=rng) < recipe.mirrored
        drawn = posed(torch.where(mirrored, lines.flip(-1), lines), recipe.pose, rng)
        pictures = degrade(recipe.augmentation.apply(corpus.images[rows], rng), rng)
        pictures = torch.where(mirrored[..., None], pictures.flip(-1), pictures)
        logits = model(drawn.to(device()), pictures.to(device()))
        return {"loss": contrastive_loss(logits.float(), kinds[rows, None])}

    Trainer(model, step, recipe.fit, folder).run("emoji matcher")
    return model


def draw_lines(corpus: EmojiImages, kinds: Tensor) -> Tensor:
    """Strokes bool [K, 64, 64] of every subject, by its number in `kinds`."""
    drawn = torch.zeros(int(kinds.max()) + 1, 64, 64, dtype=torch.bool)
    for row, kind in enumerate(kinds.tolist()):
        lines = corpus.table.lines(row)
        if lines is not None:
            drawn[kind] = torch.from_numpy(np.ascontiguousarray(rasterise(lines, 64)))
    return drawn
