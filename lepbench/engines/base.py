"""Base classes of engines, which run many independent pieces of work in any order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

from lepbench.registry import Registry
from lepbench.threads import use_threads


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
Replace = Callable[[P, str], Result]
"""From a piece that no worker finished, and why, to what stands in for its result."""


@dataclass(frozen=True)
class Terms:
    """How a worker computes.

    Attributes:
        threads: that networks compute in, the same for every engine: more or fewer round differently.
        gpus: of each worker, which Ray may divide; 0 for work on processors.
    """

    threads: int = 1
    gpus: float = 0.0


USUAL = Terms()


class WorkerLostError(Exception):
    """A worker ended before its piece did, or is of no more use; the text says what is known of it.

    Work may raise it in a worker, which is then replaced.
    """


class WorkerTask(NamedTuple):
    """What a worker does, and how it computes."""

    work: Work[Any, Any]
    job: Any
    terms: Terms

    def open(self) -> None:
        """Load what all pieces of the job need, once a worker: the job's `open()`, where it has one."""
        opens = getattr(self.job, "open", None)
        if opens is not None:
            with use_threads(self.terms.threads):
                opens()

    def do(self, piece: Any, progress: EntryProgress | None = None) -> Any:
        """The result of a piece; without `progress` nothing is reported before it is done."""
        with use_threads(self.terms.threads):
            return self.work(self.job, piece, progress or ignore_entries)


class Team(ABC):
    """What runs pieces of one job; its workers are kept from one call of `run` to the next."""

    @abstractmethod
    def run(
        self,
        pieces: Sequence[P],
        progress: EntryProgress,
        replace: Replace[P, Result] | None = None,
    ) -> Iterator[tuple[P, Result]]:
        """Run all pieces, yielding each result as soon as it is available.

        The first exception of a piece ends the run.

        Args:
            replace: gives the result of a piece whose worker died, twice, or that took too long; without it
                such a piece ends the run.

        Raises:
            LepbenchError: a worker died or took too long.
        """


class Engine(ABC):
    """Runs `work(job, piece, progress)` for every piece.

    Args:
        workers: number of pieces in parallel; None for the engine's default.
        timeout: seconds that a piece may take; None for any number.
    """

    def __init__(self, workers: int | None = None, timeout: float | None = None) -> None:
        self.workers = workers
        self.timeout = timeout

    @abstractmethod
    def start(self, work: Work[Any, Any], job: Any, terms: Terms = USUAL) -> AbstractContextManager[Team]:
        """A context with the team that works on a job; all its processes end with it."""

    def run(
        self,
        work: Work[P, Result],
        job: Any,
        pieces: Sequence[P],
        progress: EntryProgress,
        terms: Terms = USUAL,
    ) -> Iterator[tuple[P, Result]]:
        """Run all pieces with a team of their own; see `Team.run`."""
        with self.start(work, job, terms) as team:
            yield from team.run(pieces, progress)


ENGINES: Registry[type[Engine]] = Registry("engine", Engine)


def ignore_entries(more: int) -> None:
    """Progress of remote work: reported when the piece is done."""
