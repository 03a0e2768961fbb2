"""The scene of an item of sketchworld, ready to be drawn or described again."""

from __future__ import annotations

from lepbench.sketchworld import Scene, Thing
from lepbench.suites.scenes import parse_scene


def restore_scene(text: str) -> Scene:
    """A scene of the JSON that an item holds.

    Raises:
        ValueError: it holds none.
    """
    known = parse_scene(text)
    if known is None:
        raise ValueError("an item without a scene")
    things = tuple(Thing(**thing) for thing in known.pop("things"))
    return Scene(**known, things=things)
