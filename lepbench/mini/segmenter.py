"""The recipe that trains the segmenter."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from lepbench.config import Config
from lepbench.judges.segmenter import Segmenter
from lepbench.mini.corpus import Range, degrade, renders
from lepbench.mini.training import Fit, Trainer, device


class SegmenterRecipe(Config):
    """How the segmenter is trained: on renders, half of them blurred or noised."""

    train: Range
    fit: Fit


def train(recipe: SegmenterRecipe, folder: Path, cache: Path) -> Segmenter:
    """Train the segmenter; returned in evaluation mode."""
    torch.manual_seed(recipe.fit.seed)
    corpus = renders(recipe.train, cache)
    model = Segmenter().to(device())

    def step(rng: torch.Generator) -> dict[str, Tensor]:
        rows = torch.randint(len(corpus.scenes), (recipe.fit.batch,), generator=rng)
        logits = model(degrade(corpus.images(rows), rng).to(device())).float()
        loss = functional.binary_cross_entropy_with_logits(logits, corpus.masks(rows).float().to(device()))
        return {"loss": loss}

    Trainer(model, step, recipe.fit, folder).run("segmenter")
    return model
