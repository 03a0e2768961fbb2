"""Which values of a figure are better, and what follows where none are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from lepbench.errors import LepbenchError
from lepbench.evaluation import compare
from lepbench.evaluation.compare import Difference
from lepbench.evaluation.conditions import REAL, UNGUIDED
from lepbench.evaluation.directions import add_arrow, find_direction
from lepbench.evaluation.figure_names import split_tolerance
from lepbench.evaluation.figures import choose_main_metrics, head_metrics
from lepbench.evaluation.per_sample import sort_samples
from lepbench.evaluation.protocols import make_shipped_protocol
from lepbench.metrics.statistics import Draws, Interval
from lepbench.suites import load_suite

NONE = [
    "reads_sketch@clip",
    "reads_prompt",
    "weighted_recall_2px",
    "others_recall_0.0111d",
    "weighted_lead_3px_at_0.5",
    "reads_sketch_spread@clip",
    "diversity@clip",
    "vendi@clip",
]


@pytest.mark.parametrize("metric", NONE)
def test_figures_without_a_better_side_have_no_arrow(metric: str) -> None:
    assert find_direction(metric) == "none"
    assert add_arrow("x", metric) == "x"


@pytest.mark.parametrize(
    ("metric", "arrow"),
    [("edge_f1_1px", "↑"), ("unseen_recall_2px", "↑"), ("kid@a", "↓"), ("mask_iou_spread@a", "↓")],
)
def test_other_figures_have_one(metric: str, arrow: str) -> None:
    assert add_arrow("x", metric) == f"x {arrow}"


def test_a_run_has_no_rank_and_no_skill_by_a_figure_without_a_better_side() -> None:
    protocol = make_shipped_protocol(load_suite("sketchworld-edges-v1"))
    values = {"model": 0.6, UNGUIDED.name: 0.1, REAL.name: 0.9}
    for metric, ranks, skill in (("reads_sketch@a", None, None), ("mask_iou@a", (1, 1), 0.625)):
        rows: Any = {row: {metric: Draws(value, np.full(9, value))} for row, value in values.items()}
        parted = [Difference(metric, "one", "other", Interval(0.3, 0.2, 0.4), 0.001)]
        found = compare._standing(metric, "one", rows, differences=parted, protocol=protocol)
        assert (found.ranks, found.skill) == (ranks, skill if skill is None else pytest.approx(skill))


def test_no_sample_is_worst_by_a_figure_without_a_better_side() -> None:
    frame = pd.DataFrame({"row": ["model", "model"], "reads_sketch@a": [0.0, 1.0], "mask_iou@a": [0.5, 0.2]})
    assert list(sort_samples(frame, "mask_iou@a", 1, "model").index) == [1]
    with pytest.raises(LepbenchError, match="no sample is worst by 'reads_sketch@a'"):
        sort_samples(frame, "reads_sketch@a", 1, "model")


@pytest.mark.parametrize(
    ("figure", "split"),
    [
        ("edge_f1_2px", ("edge_f1", "2px")),
        ("stroke_recall_0.0111d", ("stroke_recall", "0.0111d")),
        ("edge_f1_1px_contour", ("edge_f1_1px_contour", "")),
        ("chamfer_px", ("chamfer_px", "")),
    ],
)
def test_a_tolerance_ends_a_name(figure: str, split: tuple[str, str]) -> None:
    assert split_tolerance(figure) == split


@pytest.mark.parametrize("label", ["2px", "3px", "0.0111d"])
def test_recalls_of_strokes_are_main_figures_at_every_tolerance(label: str) -> None:
    names = ["unseen_recall", "weighted_recall", "others_recall", "weighted_lead", "stroke_recall"]
    figures = [f"{name}_{label}" for name in names]
    found = choose_main_metrics([*figures, "edge_f1_3px"])
    assert list(found) == [figures[4], *figures[:4]]
    assert found[f"others_recall_{label}"] == f"others' recall {label}"
    slope = f"unseen_recall_{label}_slope"
    assert head_metrics([slope]) == {slope: f"unseen recall {label} slope"}
