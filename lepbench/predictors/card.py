"""The model card of a predictor, with the figures of its training where they are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lepbench.backbones.resolve import HUB_ID
from lepbench.config import dump_config
from lepbench.templates import render

if TYPE_CHECKING:
    from lepbench.predictors.base import Predictor
    from lepbench.predictors.heldout import BinLoss
    from lepbench.predictors.training_result import TrainingResult

CARD_FILE = "README.md"


def render_card(
    predictor: Predictor, outcome: TrainingResult | None = None, curve: Sequence[BinLoss] = ()
) -> str:
    """The Markdown: kind, taps, size; with an outcome also backbone, data, loss, error and recipe."""
    backbone = "" if outcome is None else outcome.recipe.backbone
    return render(
        "lepbench.predictors",
        "card.md.j2",
        config=predictor.config,
        parameters=sum(parameter.numel() for parameter in predictor.parameters()),
        outcome=outcome,
        # The hub knows models as owner/name, and takes no card that names another.
        base_model=backbone if HUB_ID.fullmatch(backbone) else "",
        curve=curve,
        recipe="" if outcome is None else dump_config(outcome.recipe).strip(),
    )
