"""The runs of a set: every model on every task, each in a folder of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.registry import suggest_name
from lepbench.run_sets.config import RunSet
from lepbench.run_sets.tasks import Task
from lepbench.run_sets.variants import Variant


@dataclass(frozen=True)
class SetRun:
    """One run of a set.

    Attributes:
        folder: of its results, `OUT/SUITE/PROTOCOL/MODEL`.
    """

    variant: Variant
    task: Task
    folder: Path

    @property
    def name(self) -> str:
        """Its folder, below that of the set."""
        return f"{self.task.name}/{self.variant.name}"


def list_runs(config: RunSet, tasks: Sequence[Task], variants: Sequence[Variant]) -> list[SetRun]:
    """Every model on every task, task by task: a task's judges are loaded once."""
    return [
        SetRun(variant, task, config.folder / task.name / variant.name)
        for task in tasks
        for variant in variants
    ]


def collect_tasks(runs: Sequence[SetRun]) -> list[Task]:
    """The tasks of runs, each once, in their order."""
    return list({run.task.name: run.task for run in runs}.values())


def select_runs(runs: Sequence[SetRun], pattern: str | None) -> list[SetRun]:
    """The runs whose model's name matches a pattern with `*`, `?` and `[...]`; all without one.

    Raises:
        LepbenchError: none does.
    """
    if pattern is None:
        return list(runs)
    found = [run for run in runs if fnmatchcase(run.variant.name, pattern)]
    if not found:
        names = {run.variant.name for run in runs}
        raise LepbenchError(f"no model of the set is called {pattern!r}", suggest_name(pattern, names))
    return found
