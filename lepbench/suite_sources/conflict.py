"""Suites of conflicts: the sketch of one thing, and the prompt of another."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import ClassVar, Literal

from lepbench.articles import choose_article
from lepbench.seeds import derive_seed
from lepbench.sketches import Fault, Unusable
from lepbench.suite_sources.base import SUITE_SOURCES
from lepbench.suite_sources.variants import OriginalItem, VariantSource
from lepbench.suites import Truth
from lepbench.suites.freeze import ItemRow

OWN, OTHER = "own", "other"


class ConflictFault(StrEnum):
    """Why a prompt cannot be made to name another class."""

    NO_WORD = "the prompt does not name the class"
    NO_OTHER = "the suite has no other class"


@SUITE_SOURCES.register("conflict")
class ConflictSource(VariantSource):
    """Items with a class, each with its own prompt and with one that names another class of the suite.

    The class alone is replaced, with its article, wherever the prompt names it. The other class is picked by
    a hash.
    """

    needs: ClassVar[tuple[Truth, ...]] = ("label",)
    protocol: ClassVar[str] = "lepbench-conflict-v1"
    question: ClassVar[str] = "the prompt names the class of the sketch, or another"
    keeps_sketch: ClassVar[bool] = True
    name: Literal["conflict"] = "conflict"

    def list_levels(self) -> tuple[str, ...]:
        return (OWN, OTHER)

    def vary(self, original: OriginalItem, level: str) -> ItemRow:
        item = original.item
        if item.label is None:
            raise Unusable(Fault.NO_LABEL)
        if not find_class(item.label).search(item.prompt):
            raise Unusable(ConflictFault.NO_WORD, item.prompt)
        others = [label for label in original.suite.classes if label != item.label]
        if not others:
            raise Unusable(ConflictFault.NO_OTHER, item.label)
        if level == OWN:
            return {"label": item.label, "prompt_label": item.label}
        other = others[derive_seed(self.seed, item.item_id) % len(others)]
        return {
            "prompt": replace_class(item.prompt, item.label, other),
            "label": item.label,
            "prompt_label": other,
        }


def find_class(label: str) -> re.Pattern[str]:
    """Where a prompt names a class, with an indefinite article that stands before it."""
    return re.compile(rf"\b(?:(an?)(\s+))?{re.escape(label)}\b", re.IGNORECASE)


def replace_class(prompt: str, label: str, other: str) -> str:
    """A prompt that names another class; `a` and `an` go by its first letter."""

    def name_other(found: re.Match[str]) -> str:
        article, gap = found.groups()
        if article is None:
            return other
        return article[0] + choose_article(other)[1:] + gap + other

    return find_class(label).sub(name_other, prompt)
