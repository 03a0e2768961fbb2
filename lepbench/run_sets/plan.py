"""A set that was read and checked: its runs, and how far each is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lepbench.config import load_config, parse_config
from lepbench.run_sets.config import RunSet
from lepbench.run_sets.folder import check_set_folder
from lepbench.run_sets.plots import check_plots
from lepbench.run_sets.runs import SetRun, list_runs, select_runs
from lepbench.run_sets.states import State, find_states
from lepbench.run_sets.tables import check_table
from lepbench.run_sets.tasks import Task, list_tasks
from lepbench.run_sets.variants import list_variants


@dataclass(frozen=True)
class Plan:
    """A set's runs, in order.

    Attributes:
        states: of each run.
        selected: whether each is to be done.
    """

    config: RunSet
    runs: Sequence[SetRun]
    states: Sequence[State]
    selected: Sequence[bool]

    @property
    def tasks(self) -> list[Task]:
        """Of the runs, each once."""
        return list({run.task.name: run.task for run in self.runs}.values())

    @property
    def keys(self) -> list[str]:
        """Every key that some model sweeps."""
        return list(dict.fromkeys(key for run in self.runs for key in run.variant.settings))

    def describe(self) -> str:
        """What there is to do: a line a selected run, and their numbers by state."""
        listed = [(run, state) for run, state, asked in self._zip() if asked]
        lines = [f"{state:<13} {run.name}" for run, state in listed]
        counts = Counter(state for _, state in listed)
        numbers = ", ".join(f"{counts[state]} {state}" for state in State if counts[state])
        return "\n".join([*lines, f"runs: {len(listed)} ({numbers})"])

    def list_others(self) -> list[SetRun]:
        """Finished runs that are not selected: they are in tables and plots all the same."""
        finished = (State.DONE, State.PARTLY_FAILED)
        return [run for run, state, asked in self._zip() if not asked and state in finished]

    def list_selected(self) -> tuple[list[SetRun], list[State]]:
        """The runs to be done or read back, and their states."""
        chosen = [(run, state) for run, state, asked in self._zip() if asked]
        return [run for run, _ in chosen], [state for _, state in chosen]

    def _zip(self) -> list[tuple[SetRun, State, bool]]:
        return list(zip(self.runs, self.states, self.selected, strict=True))


def make_plan(given: str | Path | Mapping[str, Any] | RunSet, only: str | None = None) -> Plan:
    """Read a set and check all of it that can be checked before a network is loaded.

    Args:
        given: a YAML file, its content, or a configuration.
        only: pattern of the names of models to be done.

    Raises:
        LepbenchError: a key, file, name or figure does not fit, or a folder belongs to another run.
    """
    config = read_set(given)
    check_set_folder(config)
    variants = list_variants(config.models)
    tasks = list_tasks(config)
    runs = list_runs(config, tasks, variants)
    selected = {run.name for run in select_runs(runs, only)}
    check_table(config.table, tasks)
    check_plots(config.plots, runs)
    return Plan(config, runs, find_states(config, runs), [run.name in selected for run in runs])


def read_set(given: str | Path | Mapping[str, Any] | RunSet) -> RunSet:
    """A set as it is given.

    Raises:
        LepbenchError: the file cannot be read, or a key does not fit.
    """
    if isinstance(given, RunSet):
        return given
    if isinstance(given, Mapping):
        return parse_config(dict(given), RunSet, "set")
    return load_config(Path(given), RunSet)
