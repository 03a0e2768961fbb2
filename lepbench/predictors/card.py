"""The model card of a predictor, with the figures of its training where they are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lepbench.predictors.config import PredictorConfig
from lepbench.templates import render

UNKNOWN: dict[str, Any] = {"outcome": None, "base_model": "", "curve": (), "recipe": ""}
"""Card fields of an unknown training."""


def render_card(config: PredictorConfig, parameters: int, training: Mapping[str, Any] = UNKNOWN) -> str:
    """The Markdown: kind, taps, size; with a training also backbone, data, loss, error and recipe.

    Args:
        parameters: values that the predictor learns.
        training: what the template reads of a training, as `training_result.describe_training` gives it.
    """
    return render("lepbench.predictors", "card.md.j2", config=config, parameters=parameters, **training)
