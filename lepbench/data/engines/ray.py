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
"""Times a piece is tried anew when the machine that did it is lost."""


@ENGINES.register("ray")
class Ray(Engine):
    """One task a piece, on the cluster at RAY_ADDRESS or else on one of its own, of this machine.

    Without a number of workers, as many as the cluster has processors when the work begins.

    A lost machine costs the pieces it had under way, which others do anew; shards appear whole or not at all,
    so nothing is seen of it.
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
    """How many the cluster has, as far as it tells."""
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def _result(ray: Any, done: Any) -> Any:
    try:
        return ray.get(done)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayError as error:
        raise LepbenchError(
            f"Ray lost a piece: {type(error).__name__}", "run the same command again"
        ) from error


def _do(shared: tuple[Any, Any], piece: Any) -> Any:
    work, job = shared
    with use_one_thread():
        return work(job, piece, ignore_entries)
