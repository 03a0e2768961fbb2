"""How far each run of a set is, by what lies in its folder; nothing is loaded to tell."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from lepbench.backbones import choose_device
from lepbench.evaluation.environment import list_package_versions
from lepbench.evaluation.folder import OWNER, check_owner, check_strangers, holds_work, read_owner
from lepbench.evaluation.layout import RECORD
from lepbench.evaluation.parts import hash_protocol
from lepbench.evaluation.record import read_record
from lepbench.run_sets.config import RunSet
from lepbench.run_sets.runs import SetRun
from lepbench.run_sets.suites import PlannedSuite


class State(StrEnum):
    """Of a run."""

    DONE = "done"
    PARTLY_FAILED = "partly failed"
    """It is done but for pictures that failed, which are tried again."""
    BEGUN = "begun"
    MISSING = "missing"


def find_states(config: RunSet, runs: Sequence[SetRun]) -> list[State]:
    """The state of each run.

    Raises:
        LepbenchError: a folder belongs to another run, as of a model of this name with other settings.
    """
    return [_find_state(config, run) for run in runs]


def _find_state(config: RunSet, run: SetRun) -> State:
    if not run.folder.exists():
        return State.MISSING
    check_strangers(run.folder)
    if not holds_work(run.folder):
        return State.MISSING
    path = run.folder / OWNER
    # What takes loading to tell, the hashes of weights, is checked when the run is read back.
    check_owner(path, read_owner(path).model_copy(update=_list_known(config, run)))
    if not (run.folder / RECORD).is_file():
        return State.BEGUN
    return State.PARTLY_FAILED if any(read_record(run.folder).failed.values()) else State.DONE


def _list_known(config: RunSet, run: SetRun) -> dict[str, Any]:
    """The parts of a run's identity that are known before anything is loaded, or its suite is made."""
    suite, protocol = run.task.suite, run.task.protocol
    made = {"suite_sha256": suite.sha256, "items": len(suite.items(run.task.limit))}
    return {
        **({} if isinstance(suite, PlannedSuite) else made),
        "model": run.variant.config,
        "suite": suite.name,
        "protocol_sha256": hash_protocol(protocol),
        "samples_per_item": config.samples_per_item,
        "packages": list_package_versions(),
        "device": choose_device(config.device).type,
    }
