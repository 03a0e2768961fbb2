"""Processor time of the stages of an evaluation, taken in their place while it runs."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from unittest.mock import patch

NAMES = {
    "lepbench.evaluation.run.open_plan": "loading",
    "lepbench.evaluation.condition_runner.draw_batch": "drawing",
    "lepbench.evaluation.condition_runner.score_pictures": "scoring",
    "lepbench.evaluation.draw_conditions.store_batch": "storing",
    "lepbench.evaluation.condition_runner.encode_picture": "encoding",
    "lepbench.evaluation.run.finish_run": "figures",
    "lepbench.evaluation.merge.finish_run": "figures",
    "lepbench.api.running.publish_run": "report",
    "lepbench.api.shares.publish_run": "report",
}
"""What is timed, where it is looked up. Encoding is a part of storing."""
OF_PICTURES = ("drawing", "scoring", "storing")


class StageTimes:
    """Seconds of processor time by stage; those of drawing by condition, too: `drawing, model`."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def timing(self) -> Iterator[None]:
        """A block in which the stages are timed."""
        with ExitStack() as stack:
            for place, stage in NAMES.items():
                module, _, name = place.rpartition(".")
                stack.enter_context(patch(place, self._time(_find(module, name), stage)))
            yield

    def _time(self, work: Callable[..., Any], stage: str) -> Callable[..., Any]:
        depth = 0

        @wraps(work)
        def timed(*arguments: Any, **options: Any) -> Any:
            nonlocal depth
            started, depth = time.thread_time(), depth + 1
            try:
                return work(*arguments, **options)
            finally:
                depth -= 1
                # A batch that is drawn in parts calls itself.
                if not depth:
                    named = f"{stage}, {arguments[0].name}" if stage == "drawing" else stage
                    self.seconds[named] += time.thread_time() - started

        return timed


def _find(module: str, name: str) -> Callable[..., Any]:
    import importlib

    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found
