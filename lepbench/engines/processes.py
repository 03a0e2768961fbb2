"""Several processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from itertools import count
from multiprocessing.connection import Connection
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

DIED = "a worker process ended, perhaps because memory ran out"
VISIBLE = "CUDA_VISIBLE_DEVICES"

_task: list[WorkerTask] = []
"""In a worker: its own."""


class Process(Worker):
    """A pool of one process: where it ends, nothing else does.

    It ends with its parent in any case: it holds one end of a pipe, and exits when the other is closed.
    """

    def __init__(self, task: WorkerTask, gpu: str | None) -> None:
        context = _context(str(task.work.__module__))
        lifeline, self._held = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(1, context, _begin, (lifeline, task, gpu))
        self._pid: int | None = None
        started = self._pool.submit(os.getpid)
        started.add_done_callback(self._note_pid)
        # The child has its own end by now.
        lifeline.close()

    def open(self) -> Future[Any]:
        return translate(self._pool.submit(_open), _explain)

    def do(self, piece: Any) -> Future[Any]:
        try:
            return translate(self._pool.submit(_do, piece), _explain)
        except BrokenProcessPool as error:  # it ended while it had nothing to do
            raise WorkerLostError(DIED) from error

    def end(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._held.close()
        if self._pid is not None:
            # One that hangs outside of Python does not see that the pipe is closed.
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    def _note_pid(self, started: Future[int]) -> None:
        if not started.cancelled() and started.exception() is None:
            self._pid = started.result()


@ENGINES.register("processes")
class Processes(Engine):
    """Worker processes; only pieces and results are exchanged with this process.

    Where networks run on GPUs, each worker sees one of them, in turn; without a number of workers there is
    one a GPU.
    """

    @contextmanager
    def start(self, work: Work[Any, Any], job: Any, terms: Terms = USUAL) -> Iterator[WorkerTeam]:
        gpus, numbers = _list_gpus() if terms.gpus else [], count()

        def hire() -> Process:
            return Process(WorkerTask(work, job, terms), gpus[next(numbers) % len(gpus)] if gpus else None)

        team = WorkerTeam(hire, self.workers or len(gpus) or 1, self.timeout)
        try:
            yield team
        finally:
            team.end()


def _list_gpus() -> list[str]:
    """What the GPUs of this process are called in `CUDA_VISIBLE_DEVICES`."""
    import torch

    named = [name for name in os.environ.get(VISIBLE, "").split(",") if name]
    return named or [str(number) for number in range(torch.cuda.device_count())]


def _context(module: str) -> Any:
    """Workers are forked from a server process that holds only the imports of the work, where available."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([name for name in (module, "torch", "cv2") if name != "__main__"])
    return context


def _begin(lifeline: Connection, task: WorkerTask, gpu: str | None) -> None:
    # SIGINT reaches the whole process group; only the parent handles it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    if gpu is not None:
        os.environ[VISIBLE] = gpu
    _task[:] = [task]


def _end_with(lifeline: Connection) -> None:
    try:
        lifeline.recv()
    except (EOFError, OSError):
        os._exit(1)


def _open() -> None:
    _task[0].open()


def _do(piece: Any) -> Any:
    return _task[0].do(piece)


def _explain(error: BaseException) -> BaseException:
    return WorkerLostError(DIED) if isinstance(error, BrokenProcessPool) else error
