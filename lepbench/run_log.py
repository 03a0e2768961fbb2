"""The log of a long run: lines of JSON in its folder, and the same values for a tracker."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lepbench.errors import LepbenchError
from lepbench.memory import measure_memory
from lepbench.progress import Rate
from lepbench.trackers import Tell, ignore_values, tracking

LOG = "log.jsonl"
EVERY = 10.0
"""Seconds between two lines on the progress of a stage; its first and its last are always written."""
Note = Callable[..., None]
"""Called with the name of an event, and its values by name."""


def ignore_event(event: str, **values: Any) -> None:
    """A log that keeps nothing."""


class RunLog:
    """Appends to the log of a folder.

    A line is an object with `time` (UTC), `event`, and what the event has: of `progress` `stage`, `done`,
    `total`, `per_s`, `left_s` and `memory_bytes` (of this machine's processes), and values last told.

    Args:
        tell: a tracker's.
    """

    def __init__(self, path: Path, tell: Tell = ignore_values) -> None:
        self._path = path
        self._tell = tell
        self._told: dict[str, float] = {}
        self._rates: dict[str, Rate] = {}
        self._written: dict[str, float] = {}
        self._done: dict[str, int] = {}

    def write(self, event: str, **values: Any) -> None:
        """Append a line.

        Raises:
            LepbenchError: it cannot be written.
        """
        line = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "event": event, **values}
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            raise LepbenchError(f"cannot write {self._path}: {error.strerror}", "make room") from error

    def follow(self, stage: str, done: int, total: int) -> None:
        """A progress callback: writes a line now and then."""
        now, rate = time.monotonic(), self._rates.setdefault(stage, Rate()).measure(done)
        self._done[stage] = done
        if done < total and now - self._written.get(stage, -EVERY) < EVERY:
            return
        self._written[stage] = now
        found: dict[str, float] = {"done": done, "total": total, "memory_bytes": measure_memory()}
        if rate is not None:
            found |= {"per_s": round(rate, 4), "left_s": round((total - done) / rate, 1)}
        self.write("progress", stage=stage, **found, **self._told)
        self._tell(
            {f"{stage}/{name}": value for name, value in found.items() if name != "total"},
            sum(self._done.values()),
        )

    def tell(self, values: Mapping[str, float], step: int) -> None:
        """Give values to the tracker; the last are in the next line on progress."""
        self._told = dict(values)
        self._tell(values, step)


@contextmanager
def logging_run(
    folder: Path, name: str, settings: Mapping[str, Any], log_to: str | None = None
) -> Iterator[RunLog]:
    """A block that is logged in a folder: its beginning, its progress, and how it ended.

    Args:
        name: of the run.
        settings: of the run, for the tracker.
        log_to: a name in `TRACKERS`; None for none.

    Raises:
        LepbenchError: there is no such tracker, or the log cannot be written.
    """
    with tracking(log_to, name, folder, settings) as tell:
        log = RunLog(folder / LOG, tell)
        log.write("begin", name=name)
        started = time.monotonic()
        try:
            yield log
        except BaseException as error:
            with suppress(LepbenchError):  # where the disk is full it cannot be noted
                log.write("stopped", reason=str(error) or type(error).__name__)
            raise
        log.write("end", seconds=round(time.monotonic() - started, 1))
