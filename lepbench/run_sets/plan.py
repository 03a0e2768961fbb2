"""A set that was read and checked: its runs, and how far each is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lepbench.backbones import choose_device
from lepbench.config import load_config, parse_config
from lepbench.run_sets.config import RunSet
from lepbench.run_sets.folder import check_names, check_set_folder
from lepbench.run_sets.follow import Follow
from lepbench.run_sets.plots import check_plots
from lepbench.run_sets.quick import quicken
from lepbench.run_sets.runs import SetRun, collect_tasks, list_runs, select_runs
from lepbench.run_sets.states import State, find_states
from lepbench.run_sets.suites import PlannedSuite
from lepbench.run_sets.tables import check_table
from lepbench.run_sets.tasks import Task, list_tasks
from lepbench.run_sets.variants import check_models, list_variants


@dataclass(frozen=True)
class Plan:
    """A set's runs, in order.

    Attributes:
        states: of each run.
        only: pattern of the names of models to be done; None for all.
        quick: whether it is a first look.
    """

    config: RunSet
    runs: Sequence[SetRun]
    states: Sequence[State]
    only: str | None = None
    quick: bool = False

    @property
    def tasks(self) -> list[Task]:
        """Of the runs, each once."""
        return collect_tasks(self.runs)

    @property
    def keys(self) -> list[str]:
        """Every key that some model sweeps."""
        return list(dict.fromkeys(key for run in self.runs for key in run.variant.settings))

    @property
    def planned(self) -> list[PlannedSuite]:
        """The suites that are still to be made."""
        suites = {task.suite.name: task.suite for task in self.tasks}
        return [suite for suite in suites.values() if isinstance(suite, PlannedSuite)]

    def describe(self) -> str:
        """What there is to do: a line a suite that is made, then a run, and the numbers of runs by state."""
        runs, states = self.list_selected()
        suites = [f"{'to be made':<13} suite {suite.name}" for suite in self.planned]
        lines = [f"{state:<13} {run.name}" for run, state in zip(runs, states, strict=True)]
        counts = Counter(states)
        numbers = ", ".join(f"{counts[state]} {state}" for state in State if counts[state])
        return "\n".join([*suites, *lines, f"runs: {len(runs)} ({numbers})"])

    def make_suites(self, follow: Follow) -> Plan:
        """Make the suites that are missing; the plan with them, checked anew.

        Raises:
            LepbenchError: one cannot be made; or a part of the set does not fit it.
        """
        for suite in self.planned:
            suite.make(follow)
        return plan_runs(self.config, self.only, quick=self.quick) if self.planned else self

    def list_others(self) -> list[SetRun]:
        """Finished runs that are not selected: they are in tables and plots all the same."""
        finished = (State.DONE, State.PARTLY_FAILED)
        return [run for run, state, asked in self._zip() if not asked and state in finished]

    def list_selected(self) -> tuple[list[SetRun], list[State]]:
        """The runs to be done or read back, and their states."""
        chosen = [(run, state) for run, state, asked in self._zip() if asked]
        return [run for run, _ in chosen], [state for _, state in chosen]

    def _zip(self) -> list[tuple[SetRun, State, bool]]:
        selected = {run.name for run in select_runs(self.runs, self.only)}
        names = (run.name in selected for run in self.runs)
        return list(zip(self.runs, self.states, names, strict=True))


def make_plan(
    given: str | Path | Mapping[str, Any] | RunSet, only: str | None = None, *, quick: bool = False
) -> Plan:
    """Read a set and check all of it that can be checked before a network is loaded.

    Args:
        given: a YAML file, its content, or a configuration.
        only: pattern of the names of models to be done.
        quick: whether a first look is planned instead, in a folder of its own.

    Raises:
        LepbenchError: a key, file, name or figure does not fit, or a folder belongs to another run.
    """
    config = read_set(given)
    return plan_runs(quicken(config) if quick else config, only, quick=quick)


def plan_runs(config: RunSet, only: str | None, *, quick: bool) -> Plan:
    """The runs of a set, which is checked as `make_plan` says."""
    check_set_folder(config)
    choose_device(config.device)
    variants = list_variants(config.models)
    check_models(variants)
    tasks = list_tasks(config, at_most=quick)
    check_names(tasks, config.plots)
    runs = list_runs(config, tasks, variants)
    select_runs(runs, only)
    check_table(config.table, runs)
    check_plots(config.plots, runs)
    return Plan(config, runs, find_states(config, runs), only=only, quick=quick)


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
