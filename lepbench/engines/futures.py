"""A future whose exceptions are put into other words."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


def translate(future: Future[Any], explain: Callable[[BaseException], BaseException]) -> Future[Any]:
    """A future that ends as the given one does, with the exception that `explain` makes of its own."""
    answer: Future[Any] = Future()

    def pass_on(done: Future[Any]) -> None:
        if done.cancelled():
            answer.cancel()
        elif (error := done.exception()) is not None:
            answer.set_exception(explain(error))
        else:
            answer.set_result(done.result())

    future.add_done_callback(pass_on)
    return answer
