"""Data cards: every one has the same keys and sections, is listed, and names sources that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import click
import pytest
import yaml
from pydantic import StringConstraints

from lepbench.cli.app import lepbench
from lepbench.config import Config
from lepbench.data.sources import SOURCES
from lepbench.sketches import SKETCHES

CARDS = Path(__file__).parents[1] / "data_cards"
PAGES = sorted(path for path in CARDS.glob("*.md") if path.name != "README.md")
SECTIONS = ("What it is", "Where it comes from", "Splits", "Distribution", "What the edges miss", "Good for")
REGISTRIES = {"build-data": tuple(SOURCES), "suite make": tuple(SKETCHES), "score boundaries": ("none",)}
Text = Annotated[str, StringConstraints(min_length=3, strip_whitespace=True)]


class Use(Config):
    """A verb that takes the corpus."""

    verb: Literal["build-data", "suite make", "score boundaries"]
    source: Text
    how: Text


class Card(Config):
    """What a card begins with."""

    name: Text
    what: Text
    pictures: Text
    captions: Text
    sketches: Text
    licence_pictures: Text
    licence_captions: Text
    where: Text
    lepbench_source: list[Use]
    splits: Text
    traps: list[Text]
    leakage: Text
    cite: Text


def parts(page: Path) -> tuple[Card, str]:
    """A card's keys and its text."""
    _, front, text = page.read_text(encoding="utf-8").split("---\n", 2)
    return Card.model_validate(yaml.safe_load(front)), text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_card_has_every_key_and_section(page: Path) -> None:
    card, text = parts(page)
    assert card.traps
    assert card.lepbench_source
    assert re.findall(r"^# (.+)$", text, re.MULTILINE)[0].startswith(card.name)
    leads = [lead.rstrip(".") for lead in re.findall(r"\*\*([^*]+)\*\*", text)]
    assert [lead for lead in leads if lead in SECTIONS] == list(SECTIONS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_sources_and_verbs_of_a_card_exist(page: Path) -> None:
    for use in parts(page)[0].lepbench_source:
        assert use.source in REGISTRIES[use.verb]
        with click.Context(lepbench) as context:
            command: click.Command | None = lepbench
            for word in use.verb.split():
                assert isinstance(command, click.Group)
                command = command.get_command(context, word)
        assert command is not None


def test_the_readme_lists_every_card_once() -> None:
    listed = re.findall(r"\]\(([\w-]+\.md)\)", (CARDS / "README.md").read_text(encoding="utf-8"))
    assert sorted(listed) == [page.name for page in PAGES]
    assert len({parts(page)[0].name for page in PAGES}) == len(PAGES)
