"""Which runs a curve joins, and where they lie on its axis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lepbench.evaluation.figures import Figure
from lepbench.evaluation.protocols import select_protocol
from lepbench.run_sets.config import ModelEntry
from lepbench.run_sets.curves import make_curve_panel
from lepbench.run_sets.plot_config import CurvePlot
from lepbench.run_sets.runs import SetRun
from lepbench.run_sets.tables import Finished
from lepbench.run_sets.tasks import Task
from lepbench.run_sets.variants import make_variants
from lepbench.suites import load_suite


class Recorded:
    """Stands for a record: a figure that tells the run, and passes."""

    def __init__(self, number: int) -> None:
        self.rows = {
            "model": {"edge_f1_1px": Figure(value=number / 10, n=8), "chamfer_px": Figure(value=5, n=8)}
        }
        self.cost = {} if number == 0 else {"model": self}
        self.passes = 10.0 * number


@pytest.fixture(scope="module")
def task() -> Task:
    suite = load_suite("sketchworld-edges-v1")
    return Task(suite, select_protocol(suite))


@pytest.fixture(scope="module")
def finished(task: Task) -> Finished:
    """A run without guidance; four of a sweep, scale falling; one with a scale of its own."""
    sweep = {"method.scale": [1.2, 0.4], "method.decay": ["constant", "cosine"]}
    lep = {"method": {"name": "lep"}}
    entries = [
        {"name": "plain", "settings": {"method": "unguided"}},
        {"name": "lep", "settings": lep, "sweep": sweep},
        {"name": "own", "settings": {"method": {"name": "lep", "scale": 0.7}}},
    ]
    found: list[Any] = []
    for entry in entries:
        for variant in make_variants(ModelEntry.model_validate(entry)):
            found.append((SetRun(variant, task, Path(variant.name)), Recorded(len(found))))
    return found


def read_curves(
    plot: CurvePlot, task: Task, finished: Finished
) -> dict[str, list[tuple[float, float | None]]]:
    panel = make_curve_panel(plot, task, finished)
    return {
        curve.label: [(place, value.value) for place, value in zip(curve.places, curve.values, strict=True)]
        for curve in panel.curves
    }


def test_runs_that_differ_in_one_setting_share_a_curve(task: Task, finished: Finished) -> None:
    plot = CurvePlot(x="method.scale", y="edge_f1_1px")
    assert read_curves(plot, task, finished) == {
        "lep-decay-constant": [(0.4, 0.3), (1.2, 0.1)],
        "lep-decay-cosine": [(0.4, 0.4), (1.2, 0.2)],
        "own": [(0.7, 0.5)],
    }
    panel = make_curve_panel(plot, task, finished)
    assert panel.axes == ("method.scale", "edge F1 1px")
    assert (panel.joined, panel.ticks) == (True, [])


def test_a_swept_null_is_a_place_of_its_own(task: Task) -> None:
    entry = {
        "name": "lep",
        "settings": {"method": {"name": "lep"}},
        "sweep": {"method.emphasis": [None, 2.0]},
    }
    variants = make_variants(ModelEntry.model_validate(entry))
    found: Any = [
        (SetRun(one, task, Path(one.name)), Recorded(number)) for number, one in enumerate(variants)
    ]
    panel = make_curve_panel(CurvePlot(x="method.emphasis", y="edge_f1_1px"), task, found)
    assert [curve.places for curve in panel.curves] == [[0, 1]]
    assert len(panel.ticks) == 2


def test_values_that_are_no_numbers_are_named(task: Task, finished: Finished) -> None:
    plot = CurvePlot(x="method.decay", y="edge_f1_1px")
    panel = make_curve_panel(plot, task, finished)
    assert panel.ticks == ["constant", "cosine"]
    assert read_curves(plot, task, finished) == {
        "lep-scale-1.2": [(0, 0.1), (1, 0.2)],
        "lep-scale-0.4": [(0, 0.3), (1, 0.4)],
        "own": [(0, 0.5)],
    }


def test_costs_and_figures_are_marks_of_each_entry(task: Task, finished: Finished) -> None:
    over_cost = CurvePlot(x="passes", y="edge_f1_1px")
    assert read_curves(over_cost, task, finished) == {
        "lep": [(10, 0.1), (20, 0.2), (30, 0.3), (40, 0.4)],
        "own": [(50, 0.5)],
    }
    assert not make_curve_panel(over_cost, task, finished).joined
    over_figure = CurvePlot(x="chamfer_px", y="edge_f1_1px")
    assert read_curves(over_figure, task, finished)["plain"] == [(5, 0)]
    assert make_curve_panel(over_figure, task, finished).axes == ("chamfer_px", "edge F1 1px")
