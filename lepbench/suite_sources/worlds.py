"""The scene of an item of sketchworld, ready to be drawn or described again."""

from __future__ import annotations

import json

from lepbench.sketchworld import Scene, Thing


def restore_scene(text: str) -> Scene:
    """A scene of the JSON that an item holds."""
    known = json.loads(text)
    things = tuple(Thing(**thing) for thing in known.pop("things"))
    return Scene(**known, things=things)
