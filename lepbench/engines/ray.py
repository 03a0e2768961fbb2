"""Actors on a Ray cluster whose machines see the same files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from lepbench.engines.base import (
    ENGINES,
    USUAL,
    Engine,
    Terms,
    Work,
    WorkerLostError,
    WorkerTask,
)
from lepbench.engines.futures import translate
from lepbench.engines.workers import Worker, WorkerTeam
from lepbench.errors import LepbenchError


class RayWorker(Worker):
    """An actor; Ray places it where its processor and its share of a GPU are free."""

    def __init__(self, ray: Any, shared: Any, gpus: float) -> None:
        self._ray = ray
        self._actor = ray.remote(num_cpus=1, num_gpus=gpus, max_restarts=0)(_Actor).remote(shared)

    def open(self) -> Future[Any]:
        return self._follow(self._actor.open.remote())

    def do(self, piece: Any) -> Future[Any]:
        return self._follow(self._actor.do.remote(piece))

    def end(self) -> None:
        self._ray.kill(self._actor)

    def _follow(self, reference: Any) -> Future[Any]:
        return translate(reference.future(), self._explain)

    def _explain(self, error: BaseException) -> BaseException:
        """What a piece raised, or that the actor was lost with its process or machine."""
        faults = self._ray.exceptions
        if isinstance(error, faults.RayTaskError):
            cause: BaseException = error.cause
            return cause
        if isinstance(error, faults.RayError):
            return WorkerLostError(f"a worker on Ray ended: {type(error).__name__}")
        return error


class _Actor:
    """What runs in the actor's process."""

    def __init__(self, task: WorkerTask) -> None:
        self.task = task

    def open(self) -> None:
        self.task.open()

    def do(self, piece: Any) -> Any:
        return self.task.do(piece)


@ENGINES.register("ray")
class Ray(Engine):
    """An actor a worker, on the cluster at RAY_ADDRESS or a new local one.

    Without a number of workers, as many as the cluster has processors, or GPUs where networks run on those,
    when the work begins. What a lost machine had begun is done again by others.
    """

    @contextmanager
    def start(self, work: Work[Any, Any], job: Any, terms: Terms = USUAL) -> Iterator[WorkerTeam]:
        ray = _ray()
        ours = not ray.is_initialized()
        if ours:
            address = os.environ.get("RAY_ADDRESS", "local")
            ray.init(address=address, log_to_driver=False, logging_level="warning")
        try:
            shared = ray.put(WorkerTask(work, job, terms))
            most = self.workers or count_places(ray, terms.gpus)
            team = WorkerTeam(lambda: RayWorker(ray, shared, terms.gpus), most, self.timeout)
            try:
                yield team
            finally:
                team.end()
        finally:
            if ours:
                ray.shutdown()


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise LepbenchError("the engine 'ray' needs Ray", "pip install 'lepbench[ray]'") from None
    return ray


def count_places(ray: Any, gpus: float) -> int:
    """How many workers the cluster has room for, as it reports its processors and GPUs."""
    there = ray.cluster_resources()
    places = there.get("GPU", 0) / gpus if gpus else there.get("CPU", 1)
    return max(1, int(places))
