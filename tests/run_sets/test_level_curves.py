"""Figures by the level of their items."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from lepbench.errors import LepbenchError
from lepbench.evaluation.level_means import measure_levels
from lepbench.evaluation.measures.levels import list_sample_figures
from lepbench.evaluation.protocols import select_protocol
from lepbench.run_sets.curves import check_curve
from lepbench.run_sets.plot_config import CurvePlot
from lepbench.run_sets.tasks import Task
from lepbench.suites import load_suite

FREEHAND = "sketchworld-freehand-v1"


@pytest.fixture(scope="module")
def task() -> Task:
    suite = load_suite(FREEHAND)
    return Task(suite, select_protocol(suite))


class Recorded:
    """Stands for a record: its protocol and samples alone."""

    def __init__(self, task: Task) -> None:
        named = {level: [i for i in task.suite.item_ids if i.endswith(f"level{level}")] for level in "1234"}
        items = [named[level][place] for place in (0, 1) for level in "1234"]
        values = [0.1, 0.2, 0.3, 0.4, 0.3, 0.4, None, 0.8]
        model = pd.DataFrame({"row": "model", "item_id": items, "edge_f1_1px": values})
        self.protocol = task.protocol
        self.frame = pd.concat([model, model.assign(row="real", edge_f1_1px=1.0)])

    def samples(self) -> pd.DataFrame:
        return self.frame


def test_the_figure_of_a_level_is_the_mean_of_its_samples(task: Task) -> None:
    record: Any = Recorded(task)
    found = measure_levels(record, task.suite, "edge_f1_1px")
    # The second item of level 3 failed.
    assert list(found) == ["1", "2", "3", "4"]
    assert [figure.value for figure in found.values()] == pytest.approx([0.2, 0.3, 0.3, 0.6])
    assert [figure.n for figure in found.values()] == [2, 2, 1, 2]
    # A bootstrap of two items ends at the items themselves.
    assert (found["1"].low, found["1"].high) == pytest.approx((0.1, 0.3))


def test_figures_of_all_samples_have_no_curve_over_levels(task: Task) -> None:
    assert {"edge_f1_1px", "mask_iou@sketchworld-segmenter"} <= set(list_sample_figures(task.protocol))
    check_curve(CurvePlot(x="level", y="edge_f1_1px"), task, [])
    for metric in ("faithful_iou", "kid@sketchworld-clip"):
        with pytest.raises(LepbenchError, match=f"{metric} is of all samples together"):
            check_curve(CurvePlot(x="level", y=metric), task, [])
