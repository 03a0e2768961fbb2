"""What a table holds before it has a format: columns, the best, marks."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepbench.errors import LepbenchError
from lepbench.evaluation.figures import Figure
from lepbench.publishing.flat_figures import parse_column, spread_figures
from lepbench.publishing.formats import format_json
from lepbench.publishing.results import (
    BRACKETS,
    Column,
    Line,
    ResultsTable,
    choose_metrics,
    find_best,
    make_columns,
)

FIGURE = Figure(value=0.5, n=4)
KNOWN = ["edge_f1_1px", "kid@clip", "kid@dinov2-l14", "fid@inception"]


def test_metrics_are_chosen_by_name_or_for_every_judge() -> None:
    assert choose_metrics(["kid", "edge_f1_1px", "kid@clip"], KNOWN) == [
        "kid@clip",
        "kid@dinov2-l14",
        "edge_f1_1px",
    ]
    with pytest.raises(LepbenchError, match="there is no figure 'edge_f1_1p'; did you mean 'edge_f1_1px'"):
        choose_metrics(["edge_f1_1p"], KNOWN)


def test_columns_name_the_judge_where_there_are_several_and_the_samples_where_they_matter() -> None:
    columns = make_columns(KNOWN, {name: Figure(value=1, n=64) for name in KNOWN})
    assert [column.heading for column in columns] == [
        "edge F1 1px ↑",
        "KID clip (n=64) ↓",
        "KID dinov2-l14 (n=64) ↓",
        "FID inception (n=64) ↓",
    ]


@given(st.dictionaries(st.sampled_from("abcd"), st.none() | st.floats(-9, 9), min_size=1))
def test_the_best_is_the_largest_or_the_smallest(values: dict[str, float | None]) -> None:
    there = [value for value in values.values() if value is not None]
    for metric, extreme in (("edge_f1_1px", max), ("kid@clip", min)):
        lines = [Line(name, {metric: Figure(value=value, n=4)}) for name, value in values.items()]
        best = find_best(lines, metric)
        assert best == [name for name, v in values.items() if there and v == extreme(there)]


def test_a_figure_without_a_better_side_has_neither_arrow_nor_best() -> None:
    lines = [Line("a", {"reads_sketch@x": FIGURE}), Line("b", {"reads_sketch@x": FIGURE})]
    assert find_best(lines, "reads_sketch@x") == []
    (column,) = make_columns(["reads_sketch@x"], lines[0].figures)
    assert column.heading == "reads sketch x"
    found = json.loads(format_json(ResultsTable("t", [column], lines), False))
    assert found["columns"][0]["better"] == "none"


def test_cells_carry_marks_intervals_and_other_numbers_of_samples() -> None:
    line = Line("a", {"kid@x": Figure(value=0.5, low=0.25, high=1, n=64), "fid@x": Figure(value=2, n=10)})
    columns = [Column("kid@x", "KID", 64), Column("fid@x", "FID", 64), Column("mask_iou@y", "mask IoU")]
    table = ResultsTable(
        "t", columns, [line], best=frozenset({("a", "fid@x")}), ties=frozenset({("a", "kid@x")})
    )
    assert table.list_cells(line, lambda text: f"<{text}>") == ["0.500†", "<2.000 (n=10)>", "-"]
    assert table.list_cells(line, str, BRACKETS)[0] == "0.500† [0.250, 1.000]"


@pytest.mark.parametrize(
    ("metric", "n", "column"),
    [
        ("kid@dinov2-l14", 64, "kid@dinov2-l14_n64"),
        ("fid@net_n8", 5000, "fid@net_n8_n5000"),
        ("edge_f1_1px", None, "edge_f1_1px"),
        ("mask_iou@seg_n12", None, "mask_iou@seg_n12"),
    ],
)
def test_columns_of_a_csv_are_parsed_back(metric: str, n: int | None, column: str) -> None:
    written = next(iter(spread_figures({metric: Figure(value=1, n=n or 7)})))
    assert (written, parse_column(written)) == (column, (metric, n))
