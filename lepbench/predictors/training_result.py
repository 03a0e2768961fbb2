"""Results of a training run beside the weights: metrics, curves and a model card."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lepbench.config import Config, dump_config
from lepbench.files import format_csv, write_text
from lepbench.hub import HUB_ID
from lepbench.predictors.base import Predictor
from lepbench.predictors.card import render_card
from lepbench.predictors.config import CARD_FILE, CURVE_FILE, METRICS_FILE
from lepbench.predictors.heldout import BinLoss
from lepbench.predictors.pretrained import count_parameters
from lepbench.predictors.train_config import TrainConfig

TRAINING_FILE = "training.csv"


class TrainingResult(Config):
    """The metrics of a finished run (`metrics.json`).

    Attributes:
        recipe: its configuration, without local paths.
        backbone_sha256: the files of the frozen backbone it was trained on.
        data_sha256: identity of the training data.
        training_triplets, held_out_triplets: how many of each.
        training_loss: mean over the last 100 steps.
        held_out_loss: mean over the parts of the schedule of their mean squared error, in latent units.
        target_variance: the error of predicting the mean.
    """

    recipe: TrainConfig
    backbone_sha256: dict[str, str]
    data_sha256: str
    training_triplets: int
    held_out_triplets: int
    training_loss: float
    held_out_loss: float
    target_variance: float


def write_result(
    out: Path,
    predictor: Predictor,
    outcome: TrainingResult,
    curve: Sequence[BinLoss],
    losses: Sequence[float],
) -> None:
    """Write the predictor, its card and its figures into `out`, each file atomically."""
    predictor.save_pretrained(out)
    write_text(out / CURVE_FILE, format_csv(BinLoss._fields, _round_cells(curve)))
    write_text(out / TRAINING_FILE, format_csv(("step", "loss"), _round_cells(enumerate(losses, start=1))))
    write_text(out / METRICS_FILE, outcome.model_dump_json(indent=2) + "\n")
    training = describe_training(outcome, curve)
    write_text(out / CARD_FILE, render_card(predictor.config, count_parameters(predictor), training))


def describe_training(outcome: TrainingResult, curve: Sequence[BinLoss]) -> dict[str, Any]:
    """Training data of a model card: the result, the held-out curve, the recipe as YAML."""
    backbone = outcome.recipe.backbone
    return {
        "outcome": outcome,
        # The hub knows models as owner/name, and takes no card that names another.
        "base_model": backbone if HUB_ID.fullmatch(backbone) else "",
        "curve": curve,
        "recipe": dump_config(outcome.recipe).strip(),
    }


def _round_cells(rows: Iterable[Iterable[object]]) -> list[list[object]]:
    """Numbers to six significant digits, as text."""
    return [[f"{cell:.6g}" if isinstance(cell, float) else cell for cell in row] for row in rows]
