"""Data cards: every one has the same keys and sections, is listed, and shows commands that are understood."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Annotated

import pytest
import yaml
from pydantic import Field, StringConstraints, ValidationError

from lepbench.cli.build_data import command, read_configuration
from lepbench.cli.suite_make import make_command, read_source
from lepbench.config import Config
from lepbench.data.config import BuildConfig
from lepbench.data.sources import SOURCES
from lepbench.sketches import SKETCHES

CARDS = Path(__file__).parents[2] / "data_cards"
PAGES = sorted(path for path in CARDS.glob("*.md") if path.name != "README.md")
SECTIONS = ("What it is", "Where it comes from", "Splits", "Distribution", "What the edges miss", "Good for")
SHAPES = {"folder", "table", "webdataset"}
"""Sources that are a way to lay out any corpus; every other one is a corpus of its own."""
OF_THE_RUN = {"source", "out", "workers", "engine", "shards", "retry_failed", "dry_run", "as_json"}
"""Parameters of `build-data` that are no settings of the build."""
NO_OPTIONS = {"corpus", "path", "out", "name", "settings", "as_json"}
"""Parameters of `suite make` that are no options of a corpus."""
NOT_BUILT = re.compile("No reader of its own|cannot be built from")
NO_SUITE = re.compile("No corpus of its own|No suite can be made")
Text = Annotated[str, StringConstraints(min_length=3, strip_whitespace=True)]


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
    build_data: Text
    suite_make: Text
    splits: Text
    traps: Annotated[list[Text], Field(min_length=1)]
    leakage: Text
    cite: Text


each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def parts(page: Path) -> tuple[Card, str]:
    """A card's keys and its text."""
    _, front, text = page.read_text(encoding="utf-8").split("---\n", 2)
    return Card.model_validate(yaml.safe_load(front)), text


def commands(page: Path) -> list[str]:
    """What a card tells to type."""
    return re.findall(r"`(lepbench build-data [^`]+)`", parts(page)[0].build_data)


def understood(line: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> BuildConfig:
    """What `build-data` makes of a command line, in a folder that holds the one it names."""
    _, _, *arguments = shlex.split(line)
    if arguments[0] not in SOURCES:
        (folder / arguments[0]).mkdir()
    monkeypatch.chdir(folder)
    given = command.make_context("build-data", arguments).params
    assert given["out"]
    settings = given.keys() - OF_THE_RUN
    options = {key: given[key] for key in settings if given[key] not in (None, ())}
    return read_configuration(given["source"], options)


@each_page
def test_a_card_has_every_key_and_section(page: Path) -> None:
    card, text = parts(page)
    assert re.findall(r"^# (.+)$", text, re.MULTILINE)[0].startswith(card.name)
    leads = [lead.rstrip(".") for lead in re.findall(r"^\*\*([^*]+)\*\*", text, re.MULTILINE)]
    assert [lead for lead in leads if lead != "Not good for"] == list(SECTIONS)


@pytest.mark.parametrize("change", [{"cite": " \n "}, {"traps": []}, {"traps": ["  "]}, {"colour": "red"}])
def test_an_empty_or_unknown_key_is_refused(change: dict[str, object]) -> None:
    card = parts(PAGES[0])[0].model_dump()
    with pytest.raises(ValidationError):
        Card.model_validate(card | change)


@each_page
def test_commands_of_a_card_are_understood(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = commands(page)
    assert shown or NOT_BUILT.search(parts(page)[0].build_data)
    for line in shown:
        named = shlex.split(line)[2]
        config = understood(line, tmp_path, monkeypatch)
        assert config.source.name == (named if named in SOURCES else "folder")


@pytest.mark.parametrize("corpus", sorted(set(SOURCES) - SHAPES))
def test_every_corpus_that_can_be_built_has_a_card_that_shows_how(corpus: str) -> None:
    assert any(line.startswith(f"lepbench build-data {corpus} ") for page in PAGES for line in commands(page))


@each_page
def test_a_card_says_how_a_suite_is_made_or_why_not(page: Path) -> None:
    said = parts(page)[0].suite_make
    shown = re.findall(r"`lepbench suite make ([^`]+)`", said)
    assert bool(shown) != bool(NO_SUITE.search(said))
    for line in shown:
        given = make_command.make_context("make", shlex.split(line)).params
        options = {key: given[key] for key in given if key not in NO_OPTIONS}
        source = read_source(given["corpus"], given["path"], options, given["settings"])
        assert source.name == given["corpus"]


@pytest.mark.parametrize("corpus", sorted(SKETCHES))
def test_every_sketch_corpus_has_a_card_that_shows_how(corpus: str) -> None:
    assert any(f"`lepbench suite make {corpus} " in parts(page)[0].suite_make for page in PAGES)


def test_the_readme_lists_every_card_once() -> None:
    listed = re.findall(r"\]\(([\w-]+\.md)\)", (CARDS / "README.md").read_text(encoding="utf-8"))
    assert sorted(listed) == [page.name for page in PAGES]
    assert len({parts(page)[0].name for page in PAGES}) == len(PAGES)
