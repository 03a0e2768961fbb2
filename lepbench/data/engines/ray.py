"""Tasks on a Ray cluster whose machines see the same files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from lepbench.data.engines.base import (
    ENGINES,
    Engine,
    EntryProgress,
    P,
    Result,
    Work,
    ignore_entries,
)
from lepbench.errors import LepbenchError
from lepbench.threads import use_one_thread

AHEAD = 2
RETRIES = 5
"""Retries of a piece after the loss of its machine."""


@ENGINES.register("ray")
class Ray(Engine):
    """One task per piece, on the cluster at RAY_ADDRESS or a new local one.

    Without a number of workers, as many as the cluster has processors when the work begins.

    The pieces of a lost machine are run again by others; shards are written atomically,
    so the result is not affected.
    """

    def run(
        self, work: Work[P, Result], job: Any, pieces: Sequence[P], progress: EntryProgress
    ) -> Iterator[tuple[P, Result]]:
        ray = _ray()
        ours = not ray.is_initialized()
        if ours:
            address = os.environ.get("RAY_ADDRESS", "local")
            ray.init(address=address, log_to_driver=False, logging_level="warning")
        try:
            do = ray.remote(num_cpus=1, max_retries=RETRIES)(_do)
            shared = ray.put((work, job))
            waiting = iter(pieces)
            ahead = AHEAD * (self.workers or count_processors(ray))
            running = {do.remote(shared, p): p for p in islice(waiting, ahead)}
            while running:
                (done,), _ = ray.wait(list(running))
                piece, result = running.pop(done), _result(ray, done)
                running |= {do.remote(shared, following): following for following in islice(waiting, 1)}
                progress(piece.entries)
                yield piece, result
        finally:
            if ours:
                ray.shutdown()


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise LepbenchError("the engine 'ray' needs Ray", "pip install 'lepbench[ray]'") from None
    return ray


def count_processors(ray: Any) -> int:
    """Number of processors that the cluster reports."""
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def _result(ray: Any, done: Any) -> Any:
    try:
        return ray.get(done)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayError as error:
        raise LepbenchError(
            f"Ray could not finish a shard: {type(error).__name__}",
            "run the same command again: it continues",
        ) from error


def _do(shared: tuple[Any, Any], piece: Any) -> Any:
    work, job = shared
    with use_one_thread():
        return work(job, piece, ignore_entries)
