"""What was loaded last, kept for the next one that asks for the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

Asked = ParamSpec("Asked")
Loaded = TypeVar("Loaded")


class LastLoaded(Generic[Asked, Loaded]):
    """Loads unless the last call asked for the same; one thing is held at a time."""

    def __init__(self, load: Callable[Asked, Loaded]) -> None:
        self._load = load
        self._asked: object = None
        self._loaded: Loaded | None = None

    def __call__(self, *asked: Asked.args, **named: Asked.kwargs) -> Loaded:
        if self._loaded is None or self._asked != (asked, named):
            # Let go first: two large models may not fit into memory.
            self._loaded = None
            self._loaded, self._asked = self._load(*asked, **named), (asked, named)
        return self._loaded
