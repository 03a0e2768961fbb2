"""Runs the pieces one after another in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lepbench.engines.base import (
    ENGINES,
    USUAL,
    Engine,
    EntryProgress,
    P,
    Replace,
    Result,
    Team,
    Terms,
    Work,
    WorkerTask,
)


@dataclass(frozen=True)
class Alone(Team):
    """No other process."""

    task: WorkerTask

    def run(
        self,
        pieces: Sequence[P],
        progress: EntryProgress,
        replace: Replace[P, Result] | None = None,
    ) -> Iterator[tuple[P, Result]]:
        self.task.open()
        for piece in pieces:
            yield piece, self.task.do(piece, progress)


@ENGINES.register("here")
class InProcess(Engine):
    """One piece after another; nothing could end one that takes too long."""

    @contextmanager
    def start(self, work: Work[Any, Any], job: Any, terms: Terms = USUAL) -> Iterator[Alone]:
        yield Alone(WorkerTask(work, job, terms))
