"""Which plots of a set are drawn of which tasks, checked before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence

from lepbench.errors import LepbenchError
from lepbench.evaluation.summary import list_metrics
from lepbench.run_sets.curves import check_curve
from lepbench.run_sets.plot_config import CurvePlot, FrontPlot
from lepbench.run_sets.runs import SetRun, collect_tasks
from lepbench.run_sets.tasks import Task
from lepbench.run_sets.trade_offs import check_front
from lepbench.run_sets.values import is_metric

Plot = CurvePlot | FrontPlot


def check_plots(plots: Sequence[Plot], runs: Sequence[SetRun]) -> None:
    """Refuse plots that no task of the set can have, and two of one name.

    Raises:
        LepbenchError: there is such a plot.
    """
    for plot in plots:
        list_fitting(plot, runs)
    names = [plot.name for plot in plots]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise LepbenchError(f"two plots are called {twice!r}", "leave one out")


def list_fitting(plot: Plot, runs: Sequence[SetRun]) -> list[Task]:
    """The tasks that have what a plot shows, one at least.

    Raises:
        LepbenchError: none has; the message is about the first that has the figures, or else the first.
    """
    fitting: list[Task] = []
    faults: list[LepbenchError] = []
    others: list[LepbenchError] = []
    for task in collect_tasks(runs):
        try:
            _check(plot, task, [run for run in runs if run.task is task])
        except LepbenchError as error:
            (faults if has_figures(plot, task) else others).append(error)
        else:
            fitting.append(task)
    if not fitting:
        raise LepbenchError(f"plot {plot.name!r}: {[*faults, *others][0]}")
    return fitting


def has_figures(plot: Plot, task: Task) -> bool:
    """Whether a task measures what a plot shows."""
    shown = plot.front if isinstance(plot, FrontPlot) else (plot.y,)
    known = list_metrics(task.protocol)
    return all(is_metric(name, known) for name in shown)


def _check(plot: Plot, task: Task, runs: Sequence[SetRun]) -> None:
    if isinstance(plot, FrontPlot):
        check_front(plot, task)
    else:
        check_curve(plot, task, runs)
