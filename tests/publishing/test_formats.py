"""One table in every format: each gives its cells back."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepbench.errors import LepbenchError
from lepbench.evaluation.figures import Figure
from lepbench.publishing.formats import FORMATS, format_table
from lepbench.publishing.latex import escape_latex
from lepbench.publishing.results import Line, ResultsTable, make_columns

METRICS = ["edge_f1_1px", "kid@dino_l"]


def figure(value: float | None) -> Figure:
    return Figure(value=value, low=None if value is None else value - 0.1, high=value, n=64)


def make(name: str = "one", marks: bool = True) -> ResultsTable:
    values = {name: (0.5, 1.25), "two": (0.25, None), "real": (1.0, 0.0)}
    lines = [
        Line(run, dict(zip(METRICS, map(figure, pair), strict=True)), reference=run == "real")
        for run, pair in values.items()
    ]
    return ResultsTable(
        "suite_a by p_v1",
        make_columns(METRICS, lines[0].figures),
        lines,
        best=frozenset({(name, METRICS[0])} if marks else set()),
        ties=frozenset({("two", METRICS[0])} if marks else set()),
        marks="{best}: best; †: a tie, p ≥ 0.05" if marks else "",
        notes=["figures on mini@1", "100 % of a_b & c"],
    )


def test_markdown_is_a_table_of_github() -> None:
    assert format_table(make(), "markdown").splitlines() == [
        "|  | edge F1 1px ↑ | KID dino_l (n=64) ↓ |",
        "| :--- | ---: | ---: |",
        "| one | **0.500** | 1.250 |",
        "| two | 0.250† | - |",
        "| real | 1.000 | 0.000 |",
        "",
        "- suite_a by p_v1",
        "- **bold**: best; †: a tie, p ≥ 0.05",
        "- figures on mini@1",
        "- 100 % of a_b & c",
    ]
    assert "| one | **0.500 [0.400, 0.500]** |" in format_table(make(), "markdown", intervals=True)


def test_latex_has_rules_marks_and_notes() -> None:
    text = format_table(make(), "latex")
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert rows == [
        r" & edge F1 1px $\uparrow$ & KID dino\_l (n=64) $\downarrow$ \\",
        r"one & \textbf{0.500} & 1.250 \\",
        r"two & 0.250$^{\dagger}$ & - \\",
        r"real & 1.000 & 0.000 \\",
    ]
    assert text.index(rows[2]) < text.rindex(r"\midrule") < text.index(rows[3])
    assert r"\caption{suite\_a by p\_v1. Bold: best; $^{\dagger}$: a tie, p $\geq$ 0.05.}" in text
    assert r"{\footnotesize figures on mini@1; 100 \% of a\_b \& c.\par}" in text
    assert r"\usepackage{booktabs}" in text


@given(st.text(st.characters(codec="ascii", exclude_categories=["C"])))
def test_nothing_written_reaches_tex_as_a_command(name: str) -> None:
    text = format_table(make(name), "latex")
    opened = re.findall(r"\\(begin|end)\{(\w+)\}", text)
    assert opened == [("begin", "table"), ("begin", "tabular"), ("end", "tabular"), ("end", "table")]
    bare = re.sub(r"\\(text\w+\{\}|[&%$#_{}])", "", escape_latex(name))
    assert not set(bare) & set("\\&%$#_{}~^")


def test_csv_and_json_hold_raw_figures() -> None:
    lines = list(csv.DictReader(io.StringIO(format_table(make(), "csv"))))
    assert [line["name"] for line in lines] == ["one", "two", "real"]
    assert float(lines[0]["kid@dino_l_n64"]) == 1.25
    assert float(lines[0]["edge_f1_1px_low"]) == pytest.approx(0.4)
    assert lines[1]["kid@dino_l_n64"] == ""
    found = json.loads(format_table(make(), "json"))
    assert [column["better"] for column in found["columns"]] == ["higher", "lower"]
    assert found["lines"][0]["figures"]["kid@dino_l"] == {"value": 1.25, "low": 1.15, "high": 1.25, "n": 64}
    assert [line["best"] for line in found["lines"]] == [["edge_f1_1px"], [], []]
    assert [line["ties"] for line in found["lines"]] == [[], ["edge_f1_1px"], []]


def test_text_cuts_no_figure_short() -> None:
    columns = [f"edge_f1_{n}px" for n in range(12)]
    wide = {name: Figure(value=123456.789, low=-123456.789, high=123456.789, n=2) for name in columns}
    text = format_table(
        ResultsTable("t", make_columns(columns, wide), [Line("run", wide)]), "text", intervals=True
    )
    assert text.count("123456.789") == 3 * len(columns)
    assert text.count("-123456.789…123456.789") == len(columns)
    assert "*0.500" in format_table(make(), "text")


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_a_table_without_marks_says_nothing_of_them(kind: str) -> None:
    text = format_table(make(marks=False), kind, intervals=True)
    assert "best;" not in text
    assert text.endswith("\n")


def test_an_unknown_format_is_one_line() -> None:
    with pytest.raises(LepbenchError, match="there is no format 'latx'; did you mean 'latex'"):
        format_table(make(), "latx")
