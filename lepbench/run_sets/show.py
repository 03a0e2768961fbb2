"""Writes the tables and plots of a set's finished runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from lepbench.evaluation.record import Record
from lepbench.files import write_text
from lepbench.publishing.plots import Panel, write_plot
from lepbench.run_sets.curves import make_curve_panel
from lepbench.run_sets.outcome import SetOutcome
from lepbench.run_sets.plan import Plan
from lepbench.run_sets.plot_config import FrontPlot
from lepbench.run_sets.plots import Plot, list_fitting
from lepbench.run_sets.runs import SetRun
from lepbench.run_sets.tables import Finished, format_runs, frame_runs, tabulate_tasks
from lepbench.run_sets.tasks import Task
from lepbench.run_sets.trade_offs import TradeOff, format_fronts, make_front_panel, measure_trade_off

SUFFIXES = {"markdown": "md", "latex": "tex", "text": "txt"}
"""Of the table of a format."""
TABLE, FRONTS = "table.csv", "fronts.csv"


class DrawnPlot(NamedTuple):
    """A plot: its file, a panel a task that has a finished run, and their fronts, if it is one of fronts."""

    file: str
    panels: Sequence[Panel]
    fronts: Sequence[TradeOff] = ()


def show_set(plan: Plan, finished: Finished, failed: dict[str, str]) -> SetOutcome:
    """Write the tables and plots of a set's finished runs into its folder; nothing where there are none."""
    by_name = {run.name: record for run, record in finished}
    ordered = [(run, by_name[run.name]) for run in plan.runs if run.name in by_name]
    plots = [_draw_plot(plot, plan, ordered) for plot in plan.config.plots] if ordered else []
    fronts = [front for drawn in plots for front in drawn.fronts]
    outcome = SetOutcome(
        plan.config.folder,
        {run.name: record for run, record in ordered},
        failed,
        tables=tabulate_tasks(plan.config.table, plan.tasks, ordered),
        fronts=fronts,
        frame=frame_runs(ordered, plan.keys),
        files=[],
    )
    texts = _write_texts(outcome, plan, ordered) if ordered else {}
    for name, text in texts.items():
        write_text(outcome.folder / name, text)
    for drawn in plots:
        write_plot(outcome.folder / drawn.file, drawn.panels)
    return replace(outcome, files=[*texts, *(drawn.file for drawn in plots)])


def _write_texts(outcome: SetOutcome, plan: Plan, finished: Finished) -> dict[str, str]:
    """The contents of the set's tables, by file."""
    shown = plan.config.table
    texts = {
        TABLE: format_runs(finished, plan.keys),
        f"table.{SUFFIXES[shown.format]}": outcome.format_tables(shown.format, shown.intervals),
    }
    return texts | ({FRONTS: format_fronts(outcome.fronts)} if outcome.fronts else {})


def _draw_plot(plot: Plot, plan: Plan, finished: Finished) -> DrawnPlot:
    file = f"{plot.name}.png"
    parts = [(task, _select(finished, task)) for task in list_fitting(plot, plan.runs)]
    if not isinstance(plot, FrontPlot):
        return DrawnPlot(file, [make_curve_panel(plot, task, part) for task, part in parts])
    fronts = [measure_trade_off(plot, task, part) for task, part in parts]
    return DrawnPlot(file, [make_front_panel(plot, front) for front in fronts], fronts)


def _select(finished: Finished, task: Task) -> list[tuple[SetRun, Record]]:
    return [(run, record) for run, record in finished if run.task.name == task.name]
