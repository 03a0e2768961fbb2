"""What the scene of an item says: its things, what they stand on, and their relation."""

from __future__ import annotations

import json
from typing import NamedTuple


class KnownThing(NamedTuple):
    """A thing of a scene by what it is called."""

    shape: str
    colour: str
    texture: str


class KnownScene(NamedTuple):
    """A scene by what it is called.

    Attributes:
        things: one or two.
        background: what they stand on.
        relation: of the first thing to the second, such as "left of"; None of a single one.
    """

    things: tuple[KnownThing, ...]
    background: str
    relation: str | None


def read_scene(scene: str) -> KnownScene | None:
    """The scene of an item, which is JSON; None where it is empty."""
    if not scene:
        return None
    known = json.loads(scene)
    things = (KnownThing(*(thing[key] for key in KnownThing._fields)) for thing in known["things"])
    return KnownScene(tuple(things), known["background"], known["relation"])
