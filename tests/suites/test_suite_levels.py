"""Which level each item of a suite has, and the order of levels."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from tiny_evaluation import tiny_suite

from lepbench.suites import Suite, load_suite
from lepbench.suites.levels import order_levels, read_levels, sort_levels

__all__ = ["tiny_suite"]


@pytest.fixture(scope="module")
def freehand() -> Suite:
    return load_suite("sketchworld-freehand-v1")


def test_free_hand_items_are_named_by_their_level(freehand: Suite) -> None:
    found = read_levels(freehand)
    assert list(found) == freehand.item_ids
    assert Counter(found.values()) == dict.fromkeys("1234", len(freehand) // 4)


def test_a_column_of_levels_is_read(tiny_suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_levels(tiny_suite) == {}
    named = ["rough", "fine", None] * 4
    every = tiny_suite.take(len(tiny_suite))
    monkeypatch.setattr(every.file, "read_column", lambda name: named if name == "level" else None)
    monkeypatch.setattr(tiny_suite, "take", lambda count: every, raising=False)
    assert read_levels(tiny_suite) == {
        item: level for item, level in zip(tiny_suite.item_ids, named, strict=True) if level
    }


def test_levels_are_in_the_order_of_their_numbers() -> None:
    assert sort_levels({"10", "9", "0.5", "b", "a"}) == ["0.5", "9", "10", "a", "b"]


def test_levels_that_a_suite_names_are_in_its_order(freehand: Suite) -> None:
    definition = freehand.definition.model_copy(update={"levels": ("none", "jpeg-10", "gaps-0.3")})
    suite: Any = SimpleNamespace(definition=definition)
    assert order_levels(suite, {"gaps-0.3", "none"}) == ["none", "gaps-0.3"]
    assert order_levels(freehand, {"10", "9"}) == ["9", "10"]
