"""The levels of a suite's items: which each has, and their order."""

from __future__ import annotations

import re
from collections.abc import Collection

from lepbench.suites.suite import Suite

NAMED = re.compile(r"-level(\w+)$")
"""How the names of sketchworld's free-hand items end, which were frozen before items had a level."""


def read_levels(suite: Suite) -> dict[str, str]:
    """The level of every item that has one, by its `item_id`."""
    every = suite.take(len(suite))
    column = every.file.read_column("level")
    named = (NAMED.search(item_id) for item_id in every.ids)
    levels = [level or (match[1] if match else None) for level, match in zip(column, named, strict=True)]
    return {item_id: level for item_id, level in zip(every.ids, levels, strict=True) if level}


def order_levels(suite: Suite, levels: Collection[str]) -> list[str]:
    """Levels in the order in which the suite names them, or else in their own."""
    declared = [level for level in suite.definition.levels if level in levels]
    return declared or sort_levels(levels)


def sort_levels(levels: Collection[str]) -> list[str]:
    """Levels in the order of their numbers, if they are numbers, or of their letters."""
    return sorted(
        set(levels), key=lambda level: (0, float(level), "") if _is_number(level) else (1, 0.0, level)
    )


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None
