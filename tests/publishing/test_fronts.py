"""Fronts of runs under two figures: the ends of the box, who is on it, and how it is drawn."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from lepbench.errors import LepbenchError
from lepbench.evaluation.figures import Figure
from lepbench.publishing.fronts import Front, find_range, make_front
from lepbench.publishing.plots import Curve, CurvePanel, FrontPanel, write_plot

BOX = ((0.0, 1.0), (0.5, 0.0))
"""Of an F1 and a KID."""
POINTS = {"sharp": (0.8, 0.4), "real": (0.4, 0.1), "poor": (0.3, 0.3), "far": (0.9, 0.6)}


@pytest.fixture
def front() -> Front:
    return make_front("lep", POINTS, BOX)


def test_the_area_is_measured_towards_the_better_ends(front: Front) -> None:
    # sharp: 0.8 x 0.2 of the box; real adds 0.4 x (0.8 - 0.2); poor is behind real, far beyond the box.
    assert front.area == pytest.approx(0.8 * 0.2 + 0.4 * 0.6)
    assert front.members == ["sharp", "real", "far"]


@pytest.mark.parametrize(
    ("metric", "ends"),
    [
        ("edge_f1_1px", (0, 1)),
        ("paired_f1_0.0075d", (0, 1)),
        ("faithful_paired_f1", (0, 1)),
        ("faithful_iou", (0, 1)),
        ("mask_iou@a", (0, 1)),
        ("clip_score@a", (0, 100)),
        ("clip_similarity@a", (-1, 1)),
        ("mask_iou_at_0.4@a", (0, 1)),
        ("texture_accuracy@a", (0, 1)),
        ("unseen_recall_2px", (0, 1)),
    ],
)
def test_figures_with_closed_ends_have_these(metric: str, ends: tuple[float, float]) -> None:
    assert find_range(metric) == ends
    assert find_range(metric, (0.2, 0.4)) == (0.2, 0.4)


@pytest.mark.parametrize(
    "metric", ["kid@a", "fd@a", "chamfer_px", "density@a", "mask_iou_slope@a", "edge_f1_1px_change_jpeg-10"]
)
def test_other_figures_state_theirs(metric: str) -> None:
    with pytest.raises(LepbenchError, match=rf"{metric} has no closed ends .* 'box: {{"):
        find_range(metric)


def test_the_box_that_is_proposed_runs_to_the_better_end() -> None:
    for metric, ends in (("chamfer_px", "[1, 0]"), ("mask_iou_slope@a", "[0, 1]")):
        with pytest.raises(LepbenchError, match=re.escape(ends)):
            find_range(metric)


@pytest.mark.parametrize("ends", [(0, 1), (1, 1), (float("inf"), 0)])
def test_a_box_runs_to_the_better_end(ends: tuple[float, float]) -> None:
    with pytest.raises(LepbenchError, match="does not run to lower values, which are better"):
        find_range("kid@a", ends)


def test_a_figure_without_a_better_side_has_the_box_that_is_stated() -> None:
    with pytest.raises(LepbenchError, match=r"reads_sketch@a has no better side .* 'box: {reads_sketch:"):
        find_range("reads_sketch@a")
    assert find_range("reads_sketch@a", (1, 0)) == (1, 0)
    assert find_range("reads_sketch@a", (0, 1)) == (0, 1)
    with pytest.raises(LepbenchError, match="has no area"):
        find_range("reads_sketch@a", (1, 1))


def test_plots_are_written_and_equal_ones_have_equal_bytes(front: Front, tmp_path: Path) -> None:
    other = make_front("other", {}, BOX)
    panel = FrontPanel(
        "suite/protocol",
        ("edge F1", "KID"),
        [front, other],
        make_front("all models", POINTS, BOX),
        ranges=BOX,
        costs={"sharp": 3.0},
        cost="seconds a picture",
    )
    for name in ("first.png", "second.png"):
        write_plot(tmp_path / name, [panel])
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()


@pytest.mark.filterwarnings("error")
def test_curves_without_values_and_panels_without_curves_are_drawn(tmp_path: Path) -> None:
    values = [Figure(value=0.5, low=0.6, high=0.7, n=4), Figure(value=None, n=4)]
    panels = [
        CurvePanel("one", ("x", "y"), [Curve("a", [0, 1], values)], ["fine", "rough"]),
        CurvePanel("two", ("x", "y"), []),
    ]
    write_plot(tmp_path / "curves.png", panels)
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.width > 2 * picture.height
