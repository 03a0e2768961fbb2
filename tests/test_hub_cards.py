"""The cards that ship, and those of predictors, are such as the hub takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from hub_cards import TASKS, check_dataset_card, check_model_card
from huggingface_hub import SpaceCard
from huggingface_hub.errors import HFValidationError

from lepbench.embedded import ASSETS
from lepbench.predictors import MlpConfig
from lepbench.predictors.card import UNKNOWN, render_card
from lepbench.templates import render

CARDS = sorted(ASSETS.glob("*/README.md"))
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


@pytest.mark.parametrize("card", CARDS, ids=lambda path: path.parent.name)
def test_every_card_that_ships_is_a_models(card: Path) -> None:
    fields = check_model_card(card.read_text(encoding="utf-8"))
    assert fields["license"] == "apache-2.0"


def test_there_are_cards_and_tasks() -> None:
    assert len(CARDS) > 10
    assert {"text-to-image", "image-to-image"} < TASKS


@pytest.mark.parametrize("base_model", ["", "stable-diffusion-v1-5/stable-diffusion-v1-5"])
def test_a_predictors_card_is_a_models(base_model: str) -> None:
    config = MlpConfig(taps={"a": 3}, out_channels=4, train_timesteps=1000, hidden=(8,))
    fields = check_model_card(render_card(config, 1, UNKNOWN | {"base_model": base_model}))
    assert fields.get("base_model", "") == base_model


def test_the_card_of_boards_is_a_spaces() -> None:
    text = render("lepbench.publishing.pages", "site_readme.md", title='A "board"', made="x", boards=[])
    fields = SpaceCard(text).data.to_dict()
    assert fields["sdk"] == "static"
    assert {fields["colorFrom"], fields["colorTo"]} <= COLOURS
    assert fields["title"] == 'A "board"'


def test_a_card_that_the_hub_refuses_is_found() -> None:
    good = {"license": "mit", "library_name": "lepbench"}
    check_model_card(write(good))
    for wrong in (
        {"license": "MIT"},
        {"license": "other"},
        {"base_model": "mini@1"},
        {"pipeline_tag": "draw"},
    ):
        with pytest.raises((AssertionError, HFValidationError)):
            check_model_card(write(good | wrong))
    with pytest.raises(AssertionError):
        check_dataset_card(write({"license": "mit", "task_categories": ["sketch"], "size_categories": []}))


def write(fields: Mapping[str, object]) -> str:
    return f"---\n{yaml.safe_dump(dict(fields))}---\n\n# A card\n"
