"""One job at a time beside the caller, in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import ParamSpec

Arguments = ParamSpec("Arguments")


class BackgroundJobs:
    """A context in which jobs run one after the other beside the caller, who is never more than one ahead.

    What a job raises is raised by the next `start`, or at the end of the block. A block that ends with an
    exception, a keyboard interrupt among them, lets the last job finish.
    """

    def __enter__(self) -> BackgroundJobs:
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._last: Future[None] | None = None
        return self

    def start(
        self, job: Callable[Arguments, None], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> None:
        """Wait for the job before, and start this one."""
        self._wait()
        self._last = self._pool.submit(job, *args, **kwargs)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()
        if kind is None:
            self._wait()

    def _wait(self) -> None:
        last, self._last = self._last, None
        if last is not None:
            last.result()
