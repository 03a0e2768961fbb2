"""What a training run leaves beside the weights: figures, curves and a model card."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from lepbench.config import Config, dump_config
from lepbench.files import write_text
from lepbench.predictors.base import Predictor
from lepbench.predictors.heldout import BinLoss
from lepbench.predictors.recipe import TrainConfig

CURVE_FILE = "curve.csv"
TRAINING_FILE = "training.csv"
METRICS_FILE = "metrics.json"
CARD_FILE = "README.md"


class Outcome(Config):
    """The figures of a finished run (`metrics.json`).

    Attributes:
        recipe: the configuration it followed, without the places it ran at.
        backbone_sha256: the frozen weights it was trained on.
        data_sha256: identity of the training data.
        training_triplets, held_out_triplets: how many of each.
        training_loss: mean over the last 100 steps.
        held_out_loss: mean over the parts of the schedule of their mean squared error, in latent units.
        target_variance: the error of always answering the mean.
    """

    recipe: TrainConfig
    backbone_sha256: dict[str, str]
    data_sha256: str
    training_triplets: int
    held_out_triplets: int
    training_loss: float
    held_out_loss: float
    target_variance: float


def write_outcome(
    out: Path,
    predictor: Predictor,
    outcome: Outcome,
    curve: Sequence[BinLoss],
    losses: Sequence[float],
) -> None:
    """Write the predictor, its card and its figures into `out`, each file atomically."""
    predictor.save_pretrained(out)
    write_text(out / CURVE_FILE, _csv(BinLoss._fields, curve))
    write_text(out / TRAINING_FILE, _csv(("step", "loss"), enumerate(losses, start=1)))
    write_text(out / METRICS_FILE, outcome.model_dump_json(indent=2) + "\n")
    write_text(out / CARD_FILE, _card(predictor, outcome, curve))


def _csv(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([f"{cell:.6g}" if isinstance(cell, float) else cell for cell in row] for row in rows)
    return text.getvalue()


def _card(predictor: Predictor, outcome: Outcome, curve: Sequence[BinLoss]) -> str:
    recipe = outcome.recipe
    parameters = sum(parameter.numel() for parameter in predictor.parameters())
    taps = "\n".join(f"| `{name}` | {count} |" for name, count in predictor.config.taps.items())
    parts = "\n".join(
        f"| {p.t_low} to {p.t_high - 1} | {p.mse:.4f} | {1 - p.mse / p.target_variance:.3f} |" for p in curve
    )
    hashes = "\n".join(f"- `{name}` {digest}" for name, digest in outcome.backbone_sha256.items())
    return CARD.format(
        backbone=recipe.backbone,
        kind=recipe.predictor.name,
        parameters=parameters,
        taps=taps,
        hashes=hashes,
        data=outcome.data_sha256,
        training=outcome.training_triplets,
        held=outcome.held_out_triplets,
        training_loss=outcome.training_loss,
        held_out_loss=outcome.held_out_loss,
        variance=outcome.target_variance,
        parts=parts,
        recipe=dump_config(recipe).strip(),
    )


CARD = """\
---
license: apache-2.0
library_name: lepbench
tags: [sketch-guidance, latent-edge-predictor]
base_model: {backbone}
---

# Latent edge predictor for {backbone}

Reads activations of the frozen U-Net on a noised latent and predicts the VAE-encoded edge map of the clean
picture (Voynov, Aberman and Cohen-Or, "Sketch-Guided Text-to-Image Diffusion Models", 2022). While sampling,
the gradient of its distance to an encoded sketch steers the picture. Kind `{kind}`, {parameters:,}
parameters.

| tap | channels |
|---|---|
{taps}

It fits only a backbone with these taps. The weights it was trained on (SHA-256):

{hashes}

## Held-out error

{training} triplets for training, {held} held out, of the data with SHA-256
`{data}`. Mean squared error in latent units: {training_loss:.4f} in training,
{held_out_loss:.4f} held out; always answering the mean gives {variance:.4f}.

| timestep | mean squared error | variance explained |
|---|---|---|
{parts}

## Limits

Trained on one backbone's activations, one detector's edges and one corpus. At the noisiest timesteps the
latent hardly shows the picture, and the prediction is close to the mean.

## Recipe

```yaml
{recipe}
```

`lepbench train-lep` with this file trains it again.
"""
