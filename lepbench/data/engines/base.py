"""What an engine is: something that does many pieces of work, anywhere and in any order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from lepbench.registry import Registry


class WorkItem(Protocol):
    """A part of the work that does not depend on the others."""

    @property
    def entries(self) -> int:
        """How much progress it stands for."""


P = TypeVar("P", bound=WorkItem)
Result = TypeVar("Result")
EntryProgress = Callable[[int], None]
"""Called with how many more entries of the pieces are done."""
Work = Callable[[Any, P, EntryProgress], Result]
"""A function of a module: of what all pieces share, of one piece, and of whom to tell how it goes on."""


class Engine(ABC):
    """Runs `work(job, piece, progress)` for every piece.

    Args:
        workers: how many pieces are under way at a time; None for what suits the engine.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers

    @abstractmethod
    def run(
        self, work: Work[P, Result], job: Any, pieces: Sequence[P], progress: EntryProgress
    ) -> Iterator[tuple[P, Result]]:
        """Do all pieces, giving each result as soon as it is there.

        The first exception of a piece ends the run. A caller that leaves early leaves no process behind.

        Raises:
            LepbenchError: a worker died.
        """


ENGINES: Registry[type[Engine]] = Registry("engine")


def ignore_entries(more: int) -> None:
    """Progress of work that is done elsewhere: it shows when the piece is done."""
