"""The data of a plot of a figure over a setting, a cost, another figure or a level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lepbench.errors import LepbenchError
from lepbench.evaluation.conditions import MODEL
from lepbench.evaluation.figures import Figure, head_metrics
from lepbench.evaluation.level_means import measure_levels
from lepbench.evaluation.measures.levels import list_sample_figures
from lepbench.evaluation.summary import list_metrics
from lepbench.publishing.plots import Curve, CurvePanel
from lepbench.registry import suggest_name
from lepbench.run_sets.plot_config import COSTS, LEVEL, CurvePlot
from lepbench.run_sets.runs import SetRun
from lepbench.run_sets.sweep import write_suffix, write_value
from lepbench.run_sets.tables import Finished
from lepbench.run_sets.tasks import Task
from lepbench.run_sets.values import find_metric, is_metric, read_value
from lepbench.suites.levels import order_levels, read_levels


def check_curve(plot: CurvePlot, task: Task, runs: Sequence[SetRun]) -> None:
    """Refuse a plot that no run of a task can have a point in.

    Raises:
        LepbenchError: a name is not known, or the suite's items have no level.
    """
    metrics = list_metrics(task.protocol)
    metric = find_metric(plot.y, metrics)
    if plot.x == LEVEL:
        if not read_levels(task.suite):
            raise LepbenchError(
                f"items of suite {task.suite.name!r} have no level",
                "plot over another x, or a suite of variants",
            )
        _require_sample_figure(metric, list_sample_figures(task.protocol))
    elif is_metric(plot.x, metrics):
        find_metric(plot.x, metrics)
    elif plot.x not in COSTS:
        _require_setting(plot.x, runs)


def _require_sample_figure(metric: str, figures: Sequence[str]) -> None:
    if metric not in figures:
        raise LepbenchError(
            f"{metric} is of all samples together and has no curve over 'level'",
            suggest_name(metric, figures),
        )


def _require_setting(key: str, runs: Sequence[SetRun]) -> None:
    if all(run.variant.find_setting(key) is None for run in runs):
        swept = {key for run in runs for key in run.variant.settings}
        raise LepbenchError(
            f"nothing to plot over is called {key!r}", suggest_name(key, {*swept, *COSTS, LEVEL})
        )


def make_curve_panel(plot: CurvePlot, task: Task, finished: Finished) -> CurvePanel:
    """The curves of a task's finished runs.

    Over levels there is one a model. Over a setting, one of the models that differ in it alone. Over a cost
    or a figure, the models of an entry are marked and not joined.
    """
    metrics = list_metrics(task.protocol)
    metric = find_metric(plot.y, metrics)
    heading = head_metrics([metric])[metric]
    if plot.x == LEVEL:
        return _plot_levels(task, metric, heading, finished)
    if plot.x in COSTS:
        return _plot_points(
            task, (COSTS[plot.x], heading), _group_points(plot.x, metric, finished), joined=False
        )
    if is_metric(plot.x, metrics):
        name = find_metric(plot.x, metrics)
        said = head_metrics([name])[name], heading
        return _plot_points(task, said, _group_points(name, metric, finished), joined=False)
    return _plot_points(task, (plot.x, heading), _group_settings(plot.x, metric, finished), joined=True)


def _plot_levels(task: Task, metric: str, heading: str, finished: Finished) -> CurvePanel:
    found = {run.variant.name: measure_levels(record, task.suite, metric) for run, record in finished}
    ticks = order_levels(task.suite, {level for levels in found.values() for level in levels})
    curves = [
        Curve(name, [ticks.index(level) for level in levels], list(levels.values()))
        for name, levels in found.items()
    ]
    return CurvePanel(task.name, (LEVEL, heading), curves, ticks)


Points = dict[str, list[tuple[Any, Figure]]]
"""Place on the x axis and figure of each run, by the label of its curve."""


def _group_points(x: str, metric: str, finished: Finished) -> Points:
    """By the entry of the model; without runs that have no value of x."""
    points: Points = {}
    for run, record in finished:
        place = read_value(run, record, x)
        if place is not None:
            points.setdefault(run.variant.entry, []).append((place, record.rows[MODEL.name][metric]))
    return points


def _group_settings(key: str, metric: str, finished: Finished) -> Points:
    """By the entry of the model and its swept settings but one; without models that have no such setting."""
    points: Points = {}
    for run, record in finished:
        place = run.variant.find_setting(key)
        if place is not None or key in run.variant.settings:
            others = {name: value for name, value in run.variant.settings.items() if name != key}
            label = run.variant.entry + write_suffix(others)
            points.setdefault(label, []).append((place, record.rows[MODEL.name][metric]))
    return points


def _plot_points(task: Task, axes: tuple[str, str], points: Points, joined: bool) -> CurvePanel:
    ticks = _list_ticks([place for found in points.values() for place, _ in found])
    curves = []
    for label, found in points.items():
        placed = [
            (ticks.index(write_value(place)) if ticks else float(place), value) for place, value in found
        ]
        placed.sort(key=lambda point: point[0])
        curves.append(Curve(label, [place for place, _ in placed], [value for _, value in placed]))
    return CurvePanel(task.name, axes, curves, ticks=ticks, joined=joined)


def _list_ticks(places: Sequence[Any]) -> list[str]:
    """What positions are called where places are no numbers; none where all are."""
    numbers = all(isinstance(place, int | float) and not isinstance(place, bool) for place in places)
    return [] if numbers else list(dict.fromkeys(map(write_value, places)))
