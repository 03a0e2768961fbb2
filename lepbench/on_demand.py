"""Values that are read each time they are asked for, so that no more than one of them is in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

V = TypeVar("V")


class OnDemand(Mapping[str, V]):
    """A mapping that keeps none of its values.

    Args:
        names: its keys, in order.
        read: gives the value of one.
    """

    def __init__(self, names: Iterable[str], read: Callable[[str], V]) -> None:
        self._names = tuple(names)
        self._read = read

    def __getitem__(self, name: str) -> V:
        if name not in self._names:
            raise KeyError(name)
        return self._read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        # That of a mapping reads the value.
        return name in self._names
