"""What the scene of an item says: its things, what they stand on, and their relation."""

from __future__ import annotations

from typing import Any, NamedTuple

from lepbench.errors import LepbenchError
from lepbench.files import interpret_json

AGAIN = "make the suite again"


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
    """The JSON of an item's scene, with its `things`; None where it is empty.

    Raises:
        LepbenchError: it is no scene.
    """
    if not text:
        return None
    found: Any = interpret_json(text.encode(errors="replace"), "the scene of an item", AGAIN)
    things = found.get("things") if isinstance(found, dict) else None
    if not isinstance(things, list) or not things or not all(map(_is_thing, things)):
        raise LepbenchError("the scene of an item lists no things with their shapes", AGAIN)
    return dict(found)


def _is_thing(thing: Any) -> bool:
    return isinstance(thing, dict) and isinstance(thing.get("shape"), str)


def read_scene(text: str) -> KnownScene | None:
    """What the scene of an item says; None where there is none.

    Raises:
        LepbenchError: it does not say all of it.
    """
    known = parse_scene(text)
    if known is None:
        return None
    try:
        things = tuple(KnownThing(*(thing[key] for key in KnownThing._fields)) for thing in known["things"])
        return KnownScene(things, known["background"], known["relation"])
    except KeyError as error:
        raise LepbenchError(f"the scene of an item does not say its {error}", AGAIN) from error


def find_label(text: str) -> str | None:
    """The shape of a scene's only thing; None where there are several, or no scene."""
    scene = parse_scene(text)
    things = [] if scene is None else scene["things"]
    return str(things[0]["shape"]) if len(things) == 1 else None
