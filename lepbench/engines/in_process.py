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
    open_job,
)
from lepbench.threads import use_threads


@dataclass(frozen=True)
class Alone(Team):
    """No other process."""

    work: Work[Any, Any]
    job: Any
    terms: Terms

    def run(
        self,
        pieces: Sequence[P],
        progress: EntryProgress,
        replace: Replace[P, Result] | None = None,
    ) -> Iterator[tuple[P, Result]]:
        with use_threads(self.terms.threads):
            open_job(self.job)
        for piece in pieces:
            with use_threads(self.terms.threads):
                result = self.work(self.job, piece, progress)
            yield piece, result


@ENGINES.register("here")
class InProcess(Engine):
    """One piece after another; nothing could end one that takes too long."""

    @contextmanager
    def start(self, work: Work[Any, Any], job: Any, terms: Terms = USUAL) -> Iterator[Alone]:
        yield Alone(work, job, terms)
