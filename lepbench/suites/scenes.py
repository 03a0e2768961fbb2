"""What the scene of an item says: its things, what they stand on, and their relation."""

from __future__ import annotations

import json
from typing import Any, NamedTuple


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


def parse_scene(text: str) -> dict[str, Any] | None:
    """The JSON of an item's scene, with its `things`; None where it is empty."""
    return json.loads(text) if text else None


def read_scene(text: str) -> KnownScene | None:
    """What the scene of an item says; None where there is none."""
    known = parse_scene(text)
    if known is None:
        return None
    things = (KnownThing(*(thing[key] for key in KnownThing._fields)) for thing in known["things"])
    return KnownScene(tuple(things), known["background"], known["relation"])


def find_label(text: str) -> str | None:
    """The shape of a scene's only thing; None where there are several, or no scene."""
    scene = parse_scene(text)
    things = [] if scene is None else scene["things"]
    return str(things[0]["shape"]) if len(things) == 1 else None
