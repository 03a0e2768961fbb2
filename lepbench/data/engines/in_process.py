"""Runs the pieces one after another in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lepbench.data.engines.base import ENGINES, Engine, EntryProgress, P, Result, Work
from lepbench.threads import use_one_thread


@ENGINES.register("here")
class InProcess(Engine):
    """No other process."""

    def run(
        self, work: Work[P, Result], job: Any, pieces: Sequence[P], progress: EntryProgress
    ) -> Iterator[tuple[P, Result]]:
        for piece in pieces:
            with use_one_thread():
                result = work(job, piece, progress)
            yield piece, result
