"""Figures by the level of their items."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from lepbench.errors import LepbenchError
from lepbench.evaluation.protocols import select_protocol
from lepbench.run_sets import levels
from lepbench.run_sets.levels import (
    measure_levels,
    order_levels,
    read_levels,
    require_sample_figure,
    sort_levels,
)
from lepbench.run_sets.tasks import Task
from lepbench.suites import Suite, load_suite

FREEHAND = "sketchworld-freehand-v1"


@pytest.fixture(scope="module")
def task() -> Task:
    suite = load_suite(FREEHAND)
    return Task(suite, select_protocol(suite))


def test_free_hand_items_are_named_by_their_level(task: Task) -> None:
    found = read_levels(task.suite)
    assert list(found) == task.suite.item_ids
    assert Counter(found.values()) == dict.fromkeys("1234", len(task.suite) // 4)


def test_a_column_of_levels_is_read(tiny_suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_levels(tiny_suite) == {}
    named = ["rough", "fine", None] * 4
    every = tiny_suite.take(len(tiny_suite))
    monkeypatch.setattr(every.file, "read_column", lambda name: named if name == "level" else None)
    monkeypatch.setattr(tiny_suite, "take", lambda count: every, raising=False)
    assert read_levels(tiny_suite) == {
        item: level for item, level in zip(tiny_suite.item_ids, named, strict=True) if level
    }


class Recorded:
    """Stands for a record: its samples alone."""

    def __init__(self, task: Task) -> None:
        named = {level: [i for i in task.suite.item_ids if i.endswith(f"level{level}")] for level in "1234"}
        items = [named[level][place] for place in (0, 1) for level in "1234"]
        values = [0.1, 0.2, 0.3, 0.4, 0.3, 0.4, None, 0.8]
        model = pd.DataFrame({"row": "model", "item_id": items, "edge_f1_1px": values})
        self.frame = pd.concat([model, model.assign(row="real", edge_f1_1px=1.0)])

    def samples(self) -> pd.DataFrame:
        return self.frame


def test_the_figure_of_a_level_is_the_mean_of_its_samples(task: Task) -> None:
    record: Any = Recorded(task)
    found = measure_levels(task, record, "edge_f1_1px")
    # The second item of level 3 failed.
    assert list(found) == ["1", "2", "3", "4"]
    assert [figure.value for figure in found.values()] == pytest.approx([0.2, 0.3, 0.3, 0.6])
    assert [figure.n for figure in found.values()] == [2, 2, 1, 2]
    # A bootstrap of two items ends at the items themselves.
    assert (found["1"].low, found["1"].high) == pytest.approx((0.1, 0.3))


def test_levels_are_in_the_order_of_their_numbers() -> None:
    assert sort_levels({"10", "9", "0.5", "b", "a"}) == ["0.5", "9", "10", "a", "b"]


def test_levels_that_a_suite_names_are_in_its_order(task: Task) -> None:
    definition = task.suite.definition.model_copy(update={"levels": ("none", "jpeg-10", "gaps-0.3")})
    suite: Any = SimpleNamespace(definition=definition)
    assert order_levels(suite, {"gaps-0.3", "none"}) == ["none", "gaps-0.3"]
    assert order_levels(task.suite, {"10", "9"}) == ["9", "10"]


def test_figures_of_all_samples_have_no_curve_over_levels(task: Task) -> None:
    assert {"edge_f1_1px", "mask_iou@sketchworld-segmenter"} <= set(levels.list_sample_figures(task))
    require_sample_figure(task, "edge_f1_1px")
    for metric in ("faithful_iou", "kid@sketchworld-clip"):
        with pytest.raises(LepbenchError, match=f"{metric} is of all samples together"):
            require_sample_figure(task, metric)
