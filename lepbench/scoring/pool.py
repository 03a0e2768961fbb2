"""Parallel work on many files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from lepbench.errors import LepbenchError
from lepbench.progress import Progress

Input = TypeVar("Input")
Result = TypeVar("Result")


def run_each(
    work: Callable[[Input], Result],
    items: Sequence[Input],
    stage: str,
    progress: Progress,
    workers: int | None = None,
    prepare: Callable[[], None] | None = None,
) -> list[Result]:
    """The results of all items, in their order; the first failure ends it.

    Args:
        work: a function that can be sent to another process.
        stage: what to call the work in reports.
        progress: called with (stage, done, total).
        workers: processes; None for one a processor, at most one an item. One alone is this process.
        prepare: called once in every other process.

    Raises:
        LepbenchError: a process was killed.
    """
    workers = min(workers or _processors(), len(items))
    progress(stage, 0, len(items))
    if workers <= 1:
        return _one_by_one(work, items, stage, progress)
    with ProcessPoolExecutor(workers, get_context("spawn"), prepare) as pool:
        jobs: list[Future[Result]] = [pool.submit(work, item) for item in items]
        try:
            for done, job in enumerate(as_completed(jobs), start=1):
                job.result()
                progress(stage, done, len(items))
        except BrokenProcessPool as error:
            raise LepbenchError(
                f"a process ended while it measured {stage}, perhaps because memory ran out",
                "take fewer --workers",
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [job.result() for job in jobs]


def _one_by_one(
    work: Callable[[Input], Result], items: Sequence[Input], stage: str, progress: Progress
) -> list[Result]:
    results = []
    for done, item in enumerate(items, start=1):
        results.append(work(item))
        progress(stage, done, len(items))
    return results


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
