"""Several processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing.connection import Connection
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

AHEAD = 4
"""Pieces queued per worker: enough to keep it busy, few enough for a million pieces."""

_shared: list[Any] = []
"""In a worker: the work and the job."""


@ENGINES.register("processes")
class Processes(Engine):
    """Worker processes that do their own I/O; only pieces and results are exchanged with this process.

    A worker ends with its parent in any case: it holds one end of a pipe, and exits when the other
    is closed.
    """

    def run(
        self, work: Work[P, Result], job: Any, pieces: Sequence[P], progress: EntryProgress
    ) -> Iterator[tuple[P, Result]]:
        context, workers = _context(), self.workers or 1
        lifeline, held = context.Pipe(duplex=False)
        pool = ProcessPoolExecutor(workers, context, _begin, (lifeline, work, job))
        try:
            waiting = iter(pieces)
            running = {pool.submit(_do, p): p for p in islice(waiting, AHEAD * workers)}
            while running:
                done: Future[Result] = next(as_completed(running))
                piece, result = running.pop(done), done.result()
                running |= {pool.submit(_do, following): following for following in islice(waiting, 1)}
                progress(piece.entries)
                yield piece, result
        except BrokenProcessPool:
            raise LepbenchError(
                "a worker process ended, perhaps because memory ran out",
                "run the same command with fewer --workers: it continues",
            ) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            held.close()
            lifeline.close()


def _context() -> Any:
    """Workers are forked from a server process that holds only the imports, where available."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["lepbench.data.shards"])
    return context


def _begin(lifeline: Connection, work: Any, job: Any) -> None:
    # SIGINT reaches the whole process group; only the parent handles it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    _shared[:] = [work, job]


def _end_with(lifeline: Connection) -> None:
    try:
        lifeline.recv()
    except (EOFError, OSError):
        os._exit(1)


def _do(piece: Any) -> Any:
    work, job = _shared
    with use_one_thread():
        return work(job, piece, ignore_entries)
