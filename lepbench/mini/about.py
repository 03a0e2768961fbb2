"""The embedded models: `about.yaml` names each, the recipes that make it, and what its card says."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from lepbench.config import Config, load_config

RECIPES = Path(__file__).parent / "recipes"


class About(Config):
    """What a card says beyond what can be counted.

    Attributes:
        recipes: of the stages that make the model, in their order; the last one's output is the model.
        gates: the prefixes of the gates that the card shows.
    """

    title: str
    text: str
    recipes: tuple[str, ...]
    gates: tuple[str, ...]
    limits: str


class Models(Config):
    """The embedded models by the name of their folder."""

    models: dict[str, About]


@cache
def load_about() -> dict[str, About]:
    """Every embedded model that a stage makes, by the name of its folder."""
    return load_config(Path(__file__).with_name("about.yaml"), Models).models


def list_stages() -> tuple[str, ...]:
    """The names of all stages, in the order in which they can be trained."""
    return tuple(stage for about in load_about().values() for stage in about.recipes)


def find_output(stage: str) -> str:
    """The folder of the model that a stage finishes.

    Raises:
        KeyError: it finishes none.
    """
    return {about.recipes[-1]: name for name, about in load_about().items()}[stage]
