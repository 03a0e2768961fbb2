"""Extensible registries of named entries: detectors, methods, sources, metrics, suites."""

from __future__ import annotations

import difflib
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from lepbench.errors import LepbenchError
from lepbench.plugins import describe_failures, load_plugins

T = TypeVar("T")


LISTED = 320
"""Characters of a list of names in a message, so that all of it can be read."""


def suggest_name(name: str, choices: Iterable[str]) -> str:
    """A "did you mean" clause for a misspelt name, or the list of what there is; capitals do not matter."""
    choices = sorted(choices)
    folded = {choice.casefold(): choice for choice in reversed(choices)}
    close = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return f"did you mean {folded[close[0]]!r}?" if close else f"choose one of: {limit_list(choices)}"


def limit_list(names: Sequence[str], limit: int = LISTED, last: str = "") -> str:
    """Names with commas between them, as many as fit into a number of characters, and how many are left out.

    Args:
        last: what stands before the last name instead of a comma.
    """
    shown, length = 0, 0
    while shown < len(names) and length + len(names[shown]) <= limit:
        length += len(names[shown]) + 2
        shown += 1
    if 0 < shown < len(names):
        return f"{', '.join(names[:shown])} and {len(names) - shown} more"
    return f"{', '.join(names[:-1])} {last} {names[-1]}" if last and len(names) > 1 else ", ".join(names)


def suggest_entry(name: str, choices: Iterable[str]) -> str:
    """`suggest_name`, and the plug-ins that could not be imported, one of which may have had the name."""
    return "; ".join(filter(None, (suggest_name(name, choices), describe_failures())))


class Registry(Generic[T]):
    """A mapping from short names to entries, filled by a decorator at import time.

    Plug-ins are imported when a name is not known yet, or when all names are asked for: a run with nothing
    but what ships imports no other code.

    Args:
        kind: singular noun for the entries in error messages ("detector").
        base: the class that every entry is a subclass of; None where entries are no classes.
    """

    def __init__(self, kind: str, base: type[Any] | None = None) -> None:
        self.kind = kind
        self._base = base
        self._entries: dict[str, T] = {}
        self._modules: dict[str, str] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator that registers an entry under `name`; names are unique.

        Raises:
            ValueError: the name is taken.
            TypeError: the entry is no subclass of the registry's base, or lacks some of its methods.
        """
        module = str(sys._getframe(1).f_globals.get("__name__", "__main__"))

        def file_under(entry: T) -> T:
            if name in self._entries:
                raise ValueError(f"{self.kind} {name!r} is registered twice, first by {self._modules[name]}")
            self._check(name, entry)
            self._entries[name], self._modules[name] = entry, module
            return entry

        return file_under

    def get(self, name: str) -> T:
        """The entry called `name`.

        Raises:
            LepbenchError: there is none; the message suggests the nearest name, and tells of plug-ins that
                could not be imported.
        """
        if name not in self:
            raise LepbenchError(f"unknown {self.kind} {name!r}", suggest_entry(name, self._entries))
        return self._entries[name]

    def find_module(self, name: str) -> str:
        """The module that registered the entry called `name`.

        Raises:
            LepbenchError: there is no such entry.
        """
        self.get(name)
        return self._modules[name]

    def __contains__(self, name: object) -> bool:
        if name not in self._entries:
            load_plugins()
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        load_plugins()
        return iter(sorted(self._entries))

    def list_loaded(self) -> tuple[T, ...]:
        """The entries that are there by now, in the order of their names; no plug-in is imported."""
        return tuple(entry for _, entry in sorted(self._entries.items()))

    def _check(self, name: str, entry: object) -> None:
        if self._base is None:
            return
        if not (inspect.isclass(entry) and issubclass(entry, self._base)):
            raise TypeError(f"{self.kind} {name!r} is no subclass of {self._base.__name__}")
        if lacking := sorted(getattr(entry, "__abstractmethods__", ())):
            raise TypeError(f"{self.kind} {name!r}: {entry.__name__} lacks {', '.join(lacking)}")
