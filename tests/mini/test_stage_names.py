"""Stages, models, recipes, cards and the settings of known controls name the same models."""

from __future__ import annotations

from lepbench.embedded import ASSETS
from lepbench.methods.known_controls import load_known_controls
from lepbench.mini.about import RECIPES, list_stages, load_about
from lepbench.mini.emoji_stages import EmojiVaeStage
from lepbench.mini.gates import list_gated
from lepbench.mini.stage import STAGES
from lepbench.mini.stages import VAE, list_encoders


def test_every_stage_has_a_recipe_and_a_place_among_the_models() -> None:
    stages = list_stages()
    assert len(set(stages)) == len(stages)
    assert set(stages) == set(STAGES) == {path.stem for path in RECIPES.glob("*.yaml")}
    assert {STAGES.get(name)().output for name in stages} == {VAE, EmojiVaeStage.output, *load_about()}
    assert {STAGES.get(name).name for name in stages} == set(stages)


def test_every_model_has_gates_that_its_card_shows() -> None:
    assert set(list_gated()) == set(load_about())
    for name in list_encoders():
        assert load_about()[name].gates == (f"{name}/",)


def test_encoders_that_ship_are_known_controls() -> None:
    shipped = {name for name in list_encoders() if (ASSETS / name).is_dir()}
    assert shipped == {name for name in load_known_controls() if "@" in name} != set()
