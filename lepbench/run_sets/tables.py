"""The tables of a set: one a task for reading, and one of all runs with every figure for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from lepbench.errors import LepbenchError
from lepbench.evaluation.conditions import list_conditions
from lepbench.evaluation.figures import Figure
from lepbench.evaluation.record import Record
from lepbench.evaluation.summary import list_metrics
from lepbench.publishing.flat_figures import format_lines, spread_figures
from lepbench.publishing.results import ResultsTable, choose_metrics
from lepbench.publishing.run_table import check_rows, tabulate_runs
from lepbench.run_sets.config import TableConfig
from lepbench.run_sets.plot_config import COSTS
from lepbench.run_sets.runs import SetRun, collect_tasks
from lepbench.run_sets.sweep import write_value
from lepbench.run_sets.tasks import Task
from lepbench.run_sets.values import read_cost

MOST_TESTED = 6
"""Runs of a task whose differences are tested: each of the pairs takes resamples of its own."""
Finished = Sequence[tuple[SetRun, Record]]


def select_finished(finished: Finished, task: Task) -> Finished:
    """The finished runs of a task."""
    return [(run, record) for run, record in finished if run.task.name == task.name]


def check_table(config: TableConfig, runs: Sequence[SetRun]) -> None:
    """Refuse a table of figures or rows that are not known, or of rows that no run has.

    Raises:
        LepbenchError: there is one; the message suggests the nearest name.
    """
    check_rows(config.rows)
    choose_figures(config, collect_tasks(runs))
    conditions = (list_conditions(run.variant.config, run.task.suite) for run in runs)
    if not any(kind.name in config.rows for kinds in conditions for kind in kinds):
        raise LepbenchError(f"no run has the row {', '.join(config.rows)}", "choose other 'table.rows'")


def choose_figures(config: TableConfig, tasks: Sequence[Task]) -> dict[str, list[str]]:
    """The figures that are asked for, by task: those of them that it measures; the main ones are not listed.

    Raises:
        LepbenchError: no task has one.
    """
    known = {task.name: list_metrics(task.protocol) for task in tasks}
    every = dict.fromkeys(name for names in known.values() for name in names)
    asked = choose_metrics(config.figures, every)
    return {task: [name for name in asked if name in names] for task, names in known.items()}


def tabulate_tasks(
    config: TableConfig, tasks: Sequence[Task], finished: Finished
) -> tuple[list[ResultsTable], list[str]]:
    """A table a task, of its finished runs and their references; none of a task without one.

    Args:
        tasks: of the whole set, which may ask for figures that no finished run has.

    Returns:
        The tables, and a line on each that cannot be made because no finished run has its rows.
    """
    figures = choose_figures(config, tasks)
    tables, notes = [], []
    for task in collect_tasks([run for run, _ in finished]):
        name, part = task.name, select_finished(finished, task)
        if any(row in record.rows for _, record in part for row in config.rows):
            tables.append(_tabulate(config, [run for run, _ in part], figures[name]))
        else:
            notes.append(f"no table of {name}: none of its runs has the row {', '.join(config.rows)}")
    return tables, notes


def _tabulate(config: TableConfig, runs: Sequence[SetRun], figures: Sequence[str]) -> ResultsTable:
    return tabulate_runs(
        [run.folder for run in runs], metrics=figures, rows=config.rows, tested=len(runs) <= MOST_TESTED
    )


def format_runs(finished: Finished, keys: Sequence[str]) -> str:
    """CSV: a line a run and condition, with the settings that are swept, cost and every figure.

    Args:
        keys: that some model of the set sweeps.
    """
    lines = [
        {name: _write_cell(value) for name, value in about.items()} | spread_figures(figures)
        for about, figures in _list_lines(finished, keys)
    ]
    return format_lines(list(dict.fromkeys(name for line in lines for name in line)), lines)


def frame_runs(finished: Finished, keys: Sequence[str]) -> pd.DataFrame:
    """As `format_runs`, with figures under their own names; intervals end in `_low` and `_high`."""
    lines = [about | _spread(figures) for about, figures in _list_lines(finished, keys)]
    return pd.DataFrame(lines)


def _list_lines(finished: Finished, keys: Sequence[str]) -> list[tuple[dict[str, Any], dict[str, Figure]]]:
    """What a line begins with, and its figures."""
    return [
        (
            _describe(run, keys) | {"row": row} | {name: read_cost(record, name, row) for name in COSTS},
            figures,
        )
        for run, record in finished
        for row, figures in record.rows.items()
    ]


def _describe(run: SetRun, keys: Sequence[str]) -> dict[str, Any]:
    settings = {key: run.variant.find_setting(key) for key in keys}
    return {
        "suite": run.task.suite.name,
        "protocol": run.task.protocol.name,
        "model": run.variant.name,
        **{key: write_value(value) if isinstance(value, dict) else value for key, value in settings.items()},
    }


def _spread(figures: dict[str, Figure]) -> dict[str, float | None]:
    return {
        name + end: number
        for name, figure in figures.items()
        for end, number in (("", figure.value), ("_low", figure.low), ("_high", figure.high))
    }


def _write_cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
