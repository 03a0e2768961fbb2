"""The recipe that trains the probe, the classifier by which the embedded models are measured."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from lepbench.config import Config
from lepbench.judges.classifier import Probe
from lepbench.mini.corpus import Range, attribute_labels, degrade, renders
from lepbench.mini.training import Fit, Trainer, device
from lepbench.sketchworld import ATTRIBUTES


class ProbeRecipe(Config):
    """How the probe is trained: on one-thing renders only, half of them blurred or noised."""

    train: Range
    fit: Fit


def train(recipe: ProbeRecipe, folder: Path, cache: Path) -> Probe:
    """Train the probe; returned in evaluation mode."""
    torch.manual_seed(recipe.fit.seed)
    corpus = renders(recipe.train, cache)
    labels = attribute_labels(corpus.scenes)
    model = Probe().to(device())

    def step(rng: torch.Generator) -> dict[str, Tensor]:
        rows = torch.randint(len(corpus.scenes), (recipe.fit.batch,), generator=rng)
        logits = model(degrade(corpus.images(rows), rng).to(device()))
        losses = {
            name: functional.cross_entropy(logits[name].float(), labels[name][rows].to(device()))
            for name in ATTRIBUTES
        }
        return {"loss": torch.stack(list(losses.values())).sum(), **losses}

    Trainer(model, step, recipe.fit, folder).run("probe")
    return model
