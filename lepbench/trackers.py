"""Trackers of experiments, as accelerate has them: where values of a long run are shown while it goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lepbench.errors import LepbenchError
from lepbench.registry import suggest_name

TRACKERS = ("tensorboard", "wandb", "trackio")
"""Names of accelerate's, and of the packages that they need."""
PROJECT = "lepbench"
Tell = Callable[[Mapping[str, float], int], None]
"""Called with values by name and a step, which never falls."""


def ignore_values(values: Mapping[str, float], step: int) -> None:
    """A tracker that keeps nothing."""


def check_tracker(name: str | None) -> None:
    """Refuse a tracker that is not there, before anything is loaded.

    Raises:
        LepbenchError: there is none of that name, or its package is not installed.
    """
    if name is None:
        return
    if name not in TRACKERS:
        raise LepbenchError(f"no tracker {name!r}", suggest_name(name, list(TRACKERS)))
    if find_spec(name) is None:
        raise LepbenchError(f"the tracker {name!r} needs its package", f"pip install {name}")


@contextmanager
def tracking(name: str | None, run: str, folder: Path, settings: Mapping[str, Any]) -> Iterator[Tell]:
    """A block whose values go to a tracker, or nowhere.

    Args:
        name: of the tracker; None for none.
        run: what it calls the run.
        folder: of the run; tensorboard writes into `tensorboard/` in it.
        settings: of the run, nested as in its configuration.

    Raises:
        LepbenchError: see `check_tracker`, or the installed accelerate has no such tracker.
    """
    if name is None:
        yield ignore_values
        return
    check_tracker(name)
    tracker = _make_tracker(name, run, folder)
    tracker.store_init_configuration(flatten_settings(settings))
    try:
        yield lambda values, step: tracker.log(dict(values), step=step)
    finally:
        tracker.finish()


def _make_tracker(name: str, run: str, folder: Path) -> Any:
    from accelerate import PartialState
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS

    # Its trackers ask it which process is the main one.
    PartialState()

    kind = LOGGER_TYPE_TO_CLASS.get(name)
    if kind is None:
        raise LepbenchError(f"the installed accelerate has no tracker {name!r}", "pip install -U accelerate")
    if kind.requires_logging_directory:
        tracker = kind(run, logging_dir=folder / name)
    else:
        tracker = kind(PROJECT, name=run)
    # Earlier versions of accelerate start it when it is made.
    getattr(tracker, "start", lambda: None)()
    return tracker


def flatten_settings(settings: Mapping[str, Any], above: str = "") -> dict[str, str | float | bool]:
    """Nested settings by dotted names; lists as JSON, and nothing for what is None."""
    found: dict[str, str | float | bool] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            found |= flatten_settings(value, f"{above}{key}.")
        elif isinstance(value, str | int | float):
            found[f"{above}{key}"] = value
        elif value is not None:
            found[f"{above}{key}"] = json.dumps(value, default=str)
    return found
