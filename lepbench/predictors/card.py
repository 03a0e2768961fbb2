"""The model card of a predictor, with the figures of its training where they are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from lepbench.config import dump_config

if TYPE_CHECKING:
    from lepbench.predictors.base import Predictor
    from lepbench.predictors.heldout import BinLoss
    from lepbench.predictors.outcome import Outcome

CARD_FILE = "README.md"


def card(predictor: Predictor, outcome: Outcome | None = None, curve: Sequence[BinLoss] = ()) -> str:
    """The Markdown: kind, taps, size; with an outcome also backbone, data, loss, error and recipe."""
    environment = Environment(
        loader=PackageLoader("lepbench.predictors", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.get_template("card.md.j2").render(
        config=predictor.config,
        parameters=sum(parameter.numel() for parameter in predictor.parameters()),
        outcome=outcome,
        curve=curve,
        recipe="" if outcome is None else dump_config(outcome.recipe).strip(),
    )
