"""The fronts of a set: by task, of the models of each entry and of all together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lepbench.errors import LepbenchError
from lepbench.evaluation.conditions import MODEL
from lepbench.evaluation.figures import head_metrics
from lepbench.evaluation.summary import list_metrics
from lepbench.files import format_csv
from lepbench.publishing.fronts import Front, Range, find_range, make_front
from lepbench.publishing.plots import FrontPanel
from lepbench.registry import suggest_name
from lepbench.run_sets.plot_config import COSTS, FrontPlot
from lepbench.run_sets.tables import Finished
from lepbench.run_sets.tasks import Task
from lepbench.run_sets.values import find_metric, read_cost

ALL = "all models"
"""What the front of every entry together is called."""


@dataclass(frozen=True)
class TradeOff:
    """Two figures of the runs of a task.

    Attributes:
        metrics: the two.
        ranges: the worst and best value of each, between which areas are measured.
        fronts: of the models of each entry.
        whole: of all of them.
        costs: of each model's picture, by name, where it is known.
    """

    task: Task
    metrics: tuple[str, str]
    ranges: tuple[Range, Range]
    fronts: Sequence[Front]
    whole: Front
    costs: dict[str, float]

    def describe(self) -> str:
        """The areas in one line."""
        box = " and ".join(
            f"{metric} from {worst:g} to {best:g}"
            for metric, (worst, best) in zip(self.metrics, self.ranges, strict=True)
        )
        fronts = self.fronts if len(self.fronts) == 1 else [*self.fronts, self.whole]
        areas = ", ".join(f"{front.label} {front.area:.3f}" for front in fronts)
        return f"{self.task.name}: area of the front, {box}: {areas}"


def check_front(plot: FrontPlot, task: Task) -> tuple[tuple[str, str], tuple[Range, Range]]:
    """The two figures of a plot, and the ends between which the area below their front is measured.

    Raises:
        LepbenchError: a figure is not known, or its ends are not; or the box is of another figure.
    """
    known = list_metrics(task.protocol)
    for name in plot.box:
        if name not in plot.front:
            raise LepbenchError(f"box states the ends of {name!r}", suggest_name(name, plot.front))
    first, second = (find_metric(name, known) for name in plot.front)
    own, other = (plot.box.get(name) for name in plot.front)
    return (first, second), (find_range(first, own), find_range(second, other))


def measure_trade_off(plot: FrontPlot, task: Task, finished: Finished) -> TradeOff:
    """The fronts of a task's finished runs; those without one of the two figures are left out."""
    metrics, ranges = check_front(plot, task)
    groups: dict[str, dict[str, tuple[float, float]]] = {}
    costs = {}
    for run, record in finished:
        x, y = (record.rows[MODEL.name][metric].value for metric in metrics)
        if x is not None and y is not None:
            groups.setdefault(run.variant.entry, {})[run.variant.name] = (x, y)
        cost = read_cost(record, plot.cost)
        if cost is not None:
            costs[run.variant.name] = cost
    every = {name: point for points in groups.values() for name, point in points.items()}
    fronts = [make_front(label, points, ranges) for label, points in groups.items()]
    return TradeOff(task, metrics, ranges, fronts=fronts, whole=make_front(ALL, every, ranges), costs=costs)


def make_front_panel(plot: FrontPlot, found: TradeOff) -> FrontPanel:
    """A trade-off as it is drawn."""
    headings = head_metrics(found.metrics)
    first, second = (headings[metric] for metric in found.metrics)
    return FrontPanel(
        found.task.name,
        (first, second),
        found.fronts,
        found.whole,
        ranges=found.ranges,
        costs=found.costs,
        cost=COSTS[plot.cost],
    )


def format_fronts(found: Sequence[TradeOff]) -> str:
    """CSV: a line a front, with its figures, the ends of the box, the area and the models on it."""
    columns = ["suite", "protocol", "models", "first", "second", "first_worst", "first_best", "second_worst"]
    columns += ["second_best", "area", "front"]
    return format_csv(
        columns,
        (
            [
                one.task.suite.name,
                one.task.protocol.name,
                front.label,
                *one.metrics,
                *(f"{end:g}" for ends in one.ranges for end in ends),
                f"{front.area:.6g}",
                " ".join(front.members),
            ]
            for one in found
            for front in [*one.fronts, one.whole]
        ),
    )
