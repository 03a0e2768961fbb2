"""Which plots of a set are drawn of which tasks, checked before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence

from lepbench.errors import LepbenchError
from lepbench.run_sets.curves import check_curve
from lepbench.run_sets.plot_config import CurvePlot, FrontPlot
from lepbench.run_sets.runs import SetRun
from lepbench.run_sets.tasks import Task
from lepbench.run_sets.trade_offs import check_front

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
        LepbenchError: none has; the message is about the first.
    """
    fitting, faults = [], []
    for task in {run.task.name: run.task for run in runs}.values():
        try:
            _check(plot, task, [run for run in runs if run.task is task])
        except LepbenchError as error:
            faults.append(error)
        else:
            fitting.append(task)
    if not fitting:
        raise LepbenchError(f"plot {plot.name!r}: {faults[0]}")
    return fitting


def _check(plot: Plot, task: Task, runs: Sequence[SetRun]) -> None:
    if isinstance(plot, FrontPlot):
        check_front(plot, task)
    else:
        check_curve(plot, task, runs)
