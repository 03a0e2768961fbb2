"""Base class of engines, which run many independent pieces of work in any order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from lepbench.registry import Registry


class WorkItem(Protocol):
    """A part of the work that does not depend on the others."""

    @property
    def entries(self) -> int:
        """Its number of progress steps."""


P = TypeVar("P", bound=WorkItem)
Result = TypeVar("Result")
EntryProgress = Callable[[int], None]
"""Called with the number of newly finished entries."""
Work = Callable[[Any, P, EntryProgress], Result]
"""A module-level function of the shared job, one piece and a progress callback."""


class Engine(ABC):
    """Runs `work(job, piece, progress)` for every piece.

    Args:
        workers: number of pieces in parallel; None for the engine's default.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers

    @abstractmethod
    def run(
        self, work: Work[P, Result], job: Any, pieces: Sequence[P], progress: EntryProgress
    ) -> Iterator[tuple[P, Result]]:
        """Run all pieces, yielding each result as soon as it is available.

        The first exception of a piece ends the run. If the caller stops early, all processes end.

        Raises:
            LepbenchError: a worker died.
        """


ENGINES: Registry[type[Engine]] = Registry("engine", Engine)


def ignore_entries(more: int) -> None:
    """Progress of remote work: reported when the piece is done."""
