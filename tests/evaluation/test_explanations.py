"""Every figure of lepbench's own is explained in a sentence, and belongs to an aspect."""

from __future__ import annotations

import pytest

from lepbench.evaluation.explanations import EXPLANATIONS, explain_figure, find_aspect
from lepbench.evaluation.figure_names import label_figure
from lepbench.evaluation.figures import MAIN
from lepbench.evaluation.protocols import select_protocol
from lepbench.evaluation.summary import list_metrics
from lepbench.suites import list_shipped, load_suite


@pytest.mark.parametrize("name", sorted(MAIN))
def test_every_main_figure_is_explained(name: str) -> None:
    assert explain_figure(name).endswith(".")
    assert find_aspect(name) != "other"


@pytest.mark.parametrize("suite", list_shipped())
def test_every_figure_of_a_shipped_suite_is_explained(suite: str) -> None:
    protocol = select_protocol(load_suite(suite))
    assert [name for name in list_metrics(protocol) if not explain_figure(name)] == []


def test_every_explanation_is_one_sentence() -> None:
    for name, found in EXPLANATIONS.items():
        assert found.text.count(".") == 1, name
        assert found.text.endswith("."), name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("edge_recall_0px", "Share of the sketch that has an edge of the picture to the pixel."),
        ("edge_recall_2px", "Share of the sketch that has an edge of the picture within 2 px."),
        (
            "edge_recall_0.0075d",
            "Share of the sketch that has an edge of the picture within 0.0075 of the diagonal.",
        ),
        (
            "mask_iou_at_0.4@judge",
            "Overlap of the objects in the picture with those of the scene: at level 0.4 alone.",
        ),
        (
            "mask_iou_slope",
            "Overlap of the objects in the picture with those of the scene: its slope over the levels.",
        ),
        ("contrast", ""),
    ],
)
def test_tolerances_and_levels_are_said(name: str, text: str) -> None:
    assert explain_figure(name) == text


def test_what_ranks_is_a_headline() -> None:
    assert find_aspect("mask_iou", "mask_iou") == "headline"
    assert find_aspect(label_figure("kid", "dinov2")) == "realism"
    assert find_aspect("kid_at_2") == "variants"
    assert find_aspect("contrast") == "other"
