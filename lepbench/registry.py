"""Extensible registries of named entries: detectors, methods, sources, metrics, suites."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from lepbench.errors import LepbenchError
from lepbench.plugins import describe_failures, load_plugins

T = TypeVar("T")


def suggest_name(name: str, choices: Iterable[str]) -> str:
    """A "did you mean" clause for a misspelt name, or the list of what there is."""
    choices = sorted(choices)
    close = difflib.get_close_matches(name, choices, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"choose one of: {', '.join(choices)}"


class Registry(Generic[T]):
    """A mapping from short names to entries, filled by a decorator at import time.

    Plug-ins are imported when a name is not known yet, or when all names are asked for: a run with nothing
    but what ships imports no other code.

    Args:
        kind: singular noun for the entries in error messages ("detector").
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator that registers an entry under `name`; names are unique."""

        def file_under(entry: T) -> T:
            if name in self._entries:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            self._entries[name] = entry
            return entry

        return file_under

    def get(self, name: str) -> T:
        """The entry called `name`.

        Raises:
            LepbenchError: there is none; the message suggests the nearest name, and tells of plug-ins that
                could not be imported.
        """
        if name not in self:
            fix = "; ".join(filter(None, (suggest_name(name, self._entries), describe_failures())))
            raise LepbenchError(f"unknown {self.kind} {name!r}", fix)
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        if name not in self._entries:
            load_plugins()
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        load_plugins()
        return iter(sorted(self._entries))

    def values(self) -> tuple[T, ...]:
        """All entries, in the order of their names."""
        return tuple(self._entries[name] for name in self)
