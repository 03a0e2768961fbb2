"""One backbone is kept, and only for the next call that asks for the same."""

from __future__ import annotations

import weakref
from typing import Any

import pytest

from lepbench.run_sets import last_backbone
from lepbench.run_sets.last_backbone import LastBackbone

ALIVE: weakref.WeakSet[Any] = weakref.WeakSet()


class Loaded:
    """Stands for a backbone, and counts those that are alive when it is loaded."""

    def __init__(self, *asked: str) -> None:
        self.asked = asked
        self.others = len(ALIVE)
        ALIVE.add(self)


def test_what_is_asked_for_is_given_and_the_last_one_is_let_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_backbone, "load_backbone", Loaded)
    load: Any = LastBackbone()
    assert load("a", "cpu", "float32") is load("a", "cpu", "float32")
    for asked in (("b", "cpu", "float32"), ("b", "cpu", "float16"), ("b", "cuda", "float16")):
        found = load(*asked)
        assert (found.asked, found.others) == (asked, 0)
        del found
