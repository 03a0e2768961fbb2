"""A class name means one thing in the whole package."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "lepbench"


def list_classes(source: str) -> Iterator[str]:
    """The classes that a source defines, wherever in it."""
    return (node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef))


def find_duplicates(sources: dict[str, str]) -> dict[str, list[str]]:
    """Names that are defined more than once, and the sources that do."""
    places = defaultdict(list)
    for place, source in sources.items():
        for name in list_classes(source):
            places[name].append(place)
    return {name: found for name, found in places.items() if len(found) > 1}


def test_no_two_classes_have_one_name() -> None:
    sources = {
        str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")
    }
    assert find_duplicates(sources) == {}


def test_a_second_class_of_a_name_is_found() -> None:
    twice = {"a.py": "class A: ...\nclass B: ...", "b.py": "def f():\n    class A: ..."}
    assert find_duplicates(twice) == {"A": ["a.py", "b.py"]}
