"""Writes the tables and plots of a set's finished runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lepbench.files import write_text
from lepbench.publishing.plots import Panel, write_plot
from lepbench.publishing.results import ResultsTable
from lepbench.run_sets.curves import make_curve_panel
from lepbench.run_sets.folder import FRONTS, TABLE, name_plot, name_table, replace_files
from lepbench.run_sets.outcome import SetOutcome
from lepbench.run_sets.plan import Plan
from lepbench.run_sets.plot_config import FrontPlot
from lepbench.run_sets.plots import Plot, list_fitting
from lepbench.run_sets.quick import LABEL
from lepbench.run_sets.sheets import name_sheet, write_sheet_of_runs
from lepbench.run_sets.tables import Finished, format_runs, frame_runs, select_finished, tabulate_tasks
from lepbench.run_sets.trade_offs import TradeOff, format_fronts, make_front_panel, measure_trade_off


class DrawnPlot(NamedTuple):
    """A plot: its file, a panel a task that has a finished run, and their fronts, if it is one of fronts."""

    file: str
    panels: Sequence[Panel]
    fronts: Sequence[TradeOff] = ()


def show_set(plan: Plan, finished: Finished, failed: dict[str, str]) -> SetOutcome:
    """Write the tables and plots of a set's finished runs into its folder; nothing where there are none.

    What the set wrote when it was called before, and no longer writes, is removed.
    """
    by_name = {run.name: record for run, record in finished}
    ordered = [(run, by_name[run.name]) for run in plan.runs if run.name in by_name]
    plots = [_draw_plot(plot, plan, ordered) for plot in plan.config.plots] if ordered else []
    fronts = [front for drawn in plots for front in drawn.fronts]
    tables, notes = tabulate_tasks(plan.config.table, plan.tasks, ordered)
    outcome = SetOutcome(
        plan.config.folder,
        {run.name: record for run, record in ordered},
        failed,
        tables=_label_tables(tables) if plan.quick else tables,
        fronts=fronts,
        frame=frame_runs(ordered, plan.keys),
        files=[],
        notes=notes,
    )
    if not ordered:
        return outcome
    texts = _write_texts(outcome, plan, ordered)
    writers: dict[str, Callable[[Path], object]] = {
        name: partial(write_text, content=text) for name, text in texts.items()
    }
    writers |= {drawn.file: partial(write_plot, panels=drawn.panels) for drawn in plots}
    writers |= _draw_sheets(plan, ordered)
    replace_files(plan.config, writers)
    return replace(outcome, files=list(writers))


def _label_tables(tables: Sequence[ResultsTable]) -> list[ResultsTable]:
    """Tables whose titles tell them from those of the whole set."""
    return [replace(table, title=f"{table.title}: {LABEL}") for table in tables]


def _write_texts(outcome: SetOutcome, plan: Plan, finished: Finished) -> dict[str, str]:
    """The contents of the set's tables, by file."""
    shown = plan.config.table
    texts = {TABLE: format_runs(finished, plan.keys)}
    if outcome.tables:
        texts[name_table(shown.format)] = outcome.format_tables(shown.format, shown.intervals)
    return texts | ({FRONTS: format_fronts(outcome.fronts)} if outcome.fronts else {})


def _draw_plot(plot: Plot, plan: Plan, finished: Finished) -> DrawnPlot:
    file = name_plot(plot)
    parts = [(task, select_finished(finished, task)) for task in list_fitting(plot, plan.runs)]
    if not isinstance(plot, FrontPlot):
        return DrawnPlot(file, [make_curve_panel(plot, task, part) for task, part in parts])
    fronts = [measure_trade_off(plot, task, part) for task, part in parts]
    return DrawnPlot(file, [make_front_panel(plot, front) for front in fronts], fronts)


def _draw_sheets(plan: Plan, finished: Finished) -> dict[str, Callable[[Path], object]]:
    """What writes the sheet of each suite, by file; under every protocol the pictures are the same."""
    count, writers = plan.config.sheet_items, dict[str, Callable[[Path], object]]()
    for task in plan.tasks:
        file, runs = name_sheet(task.suite.name), [run for run, _ in select_finished(finished, task)]
        if count and runs and file not in writers:
            writers[file] = partial(write_sheet_of_runs, task=task, runs=runs, count=count)
    return writers
