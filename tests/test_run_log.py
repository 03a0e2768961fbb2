"""A long run leaves lines of JSON, and tells a tracker the same; a tracker that is not there is one line."""

from __future__ import annotations

import json
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from lepbench import trackers
from lepbench.bars import write_rate
from lepbench.errors import LepbenchError
from lepbench.progress import Rate
from lepbench.run_log import LOG, RunLog, logging_run
from lepbench.trackers import check_tracker, flatten_settings


def read_log(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / LOG).read_text().splitlines()]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What accelerate's tracker tells a stand-in for the package trackio."""
    calls: list[Any] = []
    run = SimpleNamespace(
        log=lambda values, step: calls.append((step, values)), finish=lambda: calls.append("finished")
    )
    package: Any = ModuleType("trackio")
    package.__spec__ = ModuleSpec("trackio", None)

    def init(project: str, name: str) -> SimpleNamespace:
        calls.append((project, name))
        return run

    package.init = init
    package.config = SimpleNamespace(update=lambda values, allow_val_change: calls.append(values))
    monkeypatch.setitem(sys.modules, "trackio", package)
    return calls


def test_progress_is_written_at_its_ends_and_now_and_then(tmp_path: Path) -> None:
    log = RunLog(tmp_path / LOG)
    for done in range(11):
        log.follow("model", done, 10)
    log.follow("real", 0, 4)
    lines = read_log(tmp_path)
    assert [(line["stage"], line["done"]) for line in lines] == [("model", 0), ("model", 10), ("real", 0)]
    assert {line["event"] for line in lines} == {"progress"}
    assert lines[1]["per_s"] > 0
    assert lines[1]["left_s"] == 0
    assert lines[1]["memory_bytes"] > 10**7
    assert "per_s" not in lines[0]


def test_a_tracker_is_told_what_the_log_holds(tmp_path: Path, told: list[Any]) -> None:
    with logging_run(tmp_path, "mine", {"model": {"steps": 2, "seed": None}}, "trackio") as log:
        log.tell({"loss": 0.5}, 3)
        log.follow("training", 3, 3)
    assert told[:3] == [("lepbench", "mine"), {"model.steps": 2}, (3, {"loss": 0.5})]
    step, values = told[3]
    assert step == 3
    assert values["training/done"] == 3
    assert told[4:] == ["finished"]
    assert [line["event"] for line in read_log(tmp_path)] == ["begin", "progress", "end"]
    assert read_log(tmp_path)[1]["loss"] == 0.5


def test_what_ended_a_run_is_in_its_log(tmp_path: Path, told: list[Any]) -> None:
    for error in (LepbenchError("no such layer"), KeyboardInterrupt()):
        with pytest.raises(type(error)), logging_run(tmp_path, "mine", {}, "trackio"):
            raise error
    reasons = [line["reason"] for line in read_log(tmp_path) if line["event"] == "stopped"]
    assert reasons == ["no such layer", "KeyboardInterrupt"]
    assert told.count("finished") == 2


def test_a_tracker_that_is_not_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    with pytest.raises(LepbenchError, match="the tracker 'wandb' needs its package; pip install wandb"):
        check_tracker("wandb")
    with pytest.raises(LepbenchError, match="no tracker 'tensorbord'; did you mean 'tensorboard'"):
        check_tracker("tensorbord")
    check_tracker(None)


def test_settings_are_flat() -> None:
    nested = {"a": {"b": 1, "c": {"d": "x", "e": None}}, "f": [1, 2], "g": True}
    assert flatten_settings(nested) == {"a.b": 1, "a.c.d": "x", "f": "[1, 2]", "g": True}


def test_a_rate_is_of_what_was_done_since_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter((100.0, 104.0, 110.0))
    monkeypatch.setattr("lepbench.progress.time.monotonic", lambda: next(clock))
    rate = Rate()
    assert rate.measure(20) is None
    assert rate.measure(20) is None
    assert rate.measure(25) == 0.5
    assert [write_rate(value) for value in (None, 0.5, 3.26)] == ["", "2 s each", "3.3/s"]
