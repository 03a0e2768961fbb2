"""What the site makes of pages: links between its files, titles, code in help texts, nothing from elsewhere.

`mkdocs build --strict`, which tox runs, checks every link of every page.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("mkdocs", reason="the site needs pip install '.[docs]'")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def hooks() -> Any:
    spec = importlib.util.spec_from_file_location("site_hooks", ROOT / "docs" / "site_hooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("origin", "link", "made"),
    [
        ("docs/python.md", "[x](data.md#sources)", "[x](data.md#sources)"),
        ("docs/python.md", "[x](../data_cards/sketchworld.md)", "[x](data_cards/sketchworld.md)"),
        ("docs/python.md", "[x](../data_cards)", "[x](data_cards/README.md)"),
        ("README.md", "[x](docs/figures.md#intervals)", "[x](figures.md#intervals)"),
        ("README.md", "![x](docs/mini-lep.jpg)", "![x](mini-lep.jpg)"),
        ("leaderboards/README.md", "[x](../docs/boards.md)", "[x](../boards.md)"),
        ("leaderboards/README.md", "[boards.md](../docs/boards.md)", "[Leaderboards as pages](../boards.md)"),
        ("docs/python.md", "[x](https://there.org/a.md)", "[x](https://there.org/a.md)"),
        ("docs/python.md", "[x](#suites)", "[x](#suites)"),
    ],
)
def test_a_link_leads_to_where_its_file_is_on_the_site(hooks: Any, origin: str, link: str, made: str) -> None:
    assert hooks.LINK.sub(lambda found: hooks.point(found, origin), link) == made


@pytest.mark.parametrize(
    ("html", "count"),
    [
        ('<script src="https://there.org/a.js"></script>', 1),
        ('<link rel="stylesheet" href="//there.org/a.css">', 1),
        ('<img alt="a" src=https://there.org/a.png>', 1),
        ('<script src="assets/a.js"></script><img src="a.png"><a href="https://there.org">x</a>', 0),
        ('<link rel="canonical" href="https://there.org/">', 0),
    ],
)
def test_a_page_that_loads_from_elsewhere_is_found(hooks: Any, html: str, count: int) -> None:
    assert len(hooks.find_fetched(html)) == count


def test_examples_of_a_help_text_are_code(hooks: Any) -> None:
    text = "What it does.\n\n\b\nExamples:\n  lepbench list words\n  lepbench list presets"
    made = hooks.EXAMPLES.sub(hooks.indent_examples, text)
    assert made == "What it does.\n\nExamples:\n\n    lepbench list words\n    lepbench list presets\n"


def test_every_model_of_the_examples_is_listed_with_what_it_is(hooks: Any) -> None:
    listed = hooks.list_examples()
    for path in (ROOT / "examples").glob("*.yaml"):
        row = next(line for line in listed.splitlines() if line.startswith(f"| [{path.name}]"))
        assert len(row.split("|")[2].strip()) > 10, path.name


def test_every_embedded_model_is_listed_by_its_title(hooks: Any) -> None:
    listed = hooks.list_models()
    assert "[mini@1, the embedded text-to-image model](mini@1/README.md)" in listed
    assert listed.count("\n- ") == len(list((ROOT / "lepbench" / "assets").glob("*/README.md")))


def test_the_site_asks_the_network_for_nothing() -> None:
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert config["theme"]["font"] is False
    assert not {"repo_url", "extra_css", "extra_javascript"} & set(config)
    assert config["validation"]["links"]["anchors"] == "warn"
