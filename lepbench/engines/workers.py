"""A team of workers that may die: each does one piece at a time, and one that is lost is replaced."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, NamedTuple

from lepbench.engines.base import EntryProgress, P, Replace, Result, Team, WorkerLostError
from lepbench.errors import LepbenchError

TRIES = 2
"""How often a piece is begun whose workers die."""
AGAIN = "run the same command with fewer --workers: it continues"


class Worker(ABC):
    """A process, here or elsewhere. What it returns raises `WorkerLostError` where the process ended."""

    @abstractmethod
    def open(self) -> Future[Any]:
        """Begin, and load what all pieces need."""

    @abstractmethod
    def do(self, piece: Any) -> Future[Any]:
        """Begin a piece.

        Raises:
            WorkerLostError: the process has ended already.
        """

    @abstractmethod
    def end(self) -> None:
        """End it, whatever it is doing."""


class _Begun(NamedTuple):
    """A piece in a worker's hands; `until` on the monotonic clock."""

    worker: Worker
    piece: Any
    until: float


class WorkerTeam(Team):
    """Hands pieces to workers as they become free.

    Args:
        hire: begins a worker.
        most: workers at one time.
        timeout: seconds that a piece may take; None for any number.
    """

    def __init__(self, hire: Callable[[], Worker], most: int, timeout: float | None) -> None:
        self._hire = hire
        self._most = most
        self._timeout = timeout
        self._opening: dict[Future[Any], Worker] = {}
        self._idle: list[Worker] = []
        self._busy: dict[Future[Any], _Begun] = {}
        self._waiting: deque[Any] = deque()
        self._lost = 0
        """Workers lost since one finished something."""

    def run(
        self,
        pieces: Sequence[P],
        progress: EntryProgress,
        replace: Replace[P, Result] | None = None,
    ) -> Iterator[tuple[P, Result]]:
        self._waiting = deque(pieces)
        tries: Counter[P] = Counter()
        while self._waiting or self._busy:
            self._assign()
            for begun, result in self._collect():
                if isinstance(result, WorkerLostError):
                    tries[begun.piece] += 1
                    late = time.monotonic() >= begun.until
                    if not late and tries[begun.piece] < TRIES:
                        self._waiting.appendleft(begun.piece)
                        continue
                    if replace is None:
                        raise LepbenchError(str(result), AGAIN)
                    result = replace(begun.piece, str(result))
                # The next piece goes before the caller takes its time with this one.
                self._assign()
                progress(begun.piece.entries)
                yield begun.piece, result

    def end(self) -> None:
        """End every worker."""
        for worker in (*self._opening.values(), *self._idle, *(b.worker for b in self._busy.values())):
            worker.end()

    def _assign(self) -> None:
        """Hand out pieces, and begin workers for those that nobody is there for."""
        while self._idle and self._waiting:
            worker, piece = self._idle.pop(), self._waiting.popleft()
            until = time.monotonic() + self._timeout if self._timeout else float("inf")
            try:
                self._busy[worker.do(piece)] = _Begun(worker, piece, until)
            except WorkerLostError as error:
                self._waiting.appendleft(piece)
                worker.end()
                self._count_loss(error)
        there = len(self._busy) + len(self._idle) + len(self._opening)
        for _ in range(min(len(self._waiting) - len(self._opening), self._most - there)):
            worker = self._hire()
            self._opening[worker.open()] = worker

    def _collect(self) -> list[tuple[_Begun, Any]]:
        """Wait until something happens; the pieces that ended, with what came of them."""
        soonest = min((begun.until for begun in self._busy.values()), default=float("inf"))
        left = None if soonest == float("inf") else max(0.0, soonest - time.monotonic())
        done, _ = wait([*self._busy, *self._opening], left, FIRST_COMPLETED)
        for future in done & self._opening.keys():
            self._welcome(future)
        ended = [(self._busy.pop(future), future) for future in done & self._busy.keys()]
        return [self._take(begun, future) for begun, future in ended] + self._stop_late()

    def _welcome(self, future: Future[Any]) -> None:
        """A worker that has opened what it needs; the fault of one that could not is raised."""
        worker = self._opening.pop(future)
        try:
            future.result()
        except WorkerLostError as error:
            worker.end()
            self._count_loss(error)
            return
        self._idle.append(worker)

    def _take(self, begun: _Begun, future: Future[Any]) -> tuple[_Begun, Any]:
        try:
            result = future.result()
        except WorkerLostError as error:
            begun.worker.end()
            self._count_loss(error)
            return begun, error
        self._lost = 0
        self._idle.append(begun.worker)
        return begun, result

    def _stop_late(self) -> list[tuple[_Begun, Any]]:
        """End the workers whose time is over."""
        now = time.monotonic()
        late = [future for future, begun in self._busy.items() if begun.until <= now]
        stopped = [self._busy.pop(future) for future in late]
        for begun in stopped:
            begun.worker.end()
        return [(begun, WorkerLostError(f"it took longer than {self._timeout:g} s")) for begun in stopped]

    def _count_loss(self, error: WorkerLostError) -> None:
        """Give up where workers only die: the cause is not one piece.

        Raises:
            LepbenchError: they do.
        """
        self._lost += 1
        if self._lost > TRIES * (self._most + 1):
            raise LepbenchError(f"{self._lost} workers in a row ended: {error}", AGAIN)
