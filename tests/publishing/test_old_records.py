"""A record of version 0.1.0 is read, shown, and held against none of today."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pandas as pd
import pytest
from rich.console import Console

import lepbench
from lepbench.errors import LepbenchError
from lepbench.evaluation.compare import compare
from lepbench.evaluation.record import Record, read_record
from lepbench.evaluation.verify import verify_record
from lepbench.publishing.cells import format_cell
from lepbench.publishing.flat_figures import spread_figures
from lepbench.publishing.sheet import draw_sheet
from lepbench.publishing.tables import make_terminal_tables, write_csv, write_headline

OLD = Path(__file__).parent / "records" / "0.1.0"
MAIN = [
    "faithful_f1",
    "edge_f1_1px",
    "edge_f1_1px_contour",
    "mask_iou",
    "clip_skill",
    "class_accuracy",
    "kid",
]


@pytest.fixture(scope="module")
def old() -> Record:
    return read_record(OLD)


def test_its_figures_are_read(old: Record) -> None:
    frame = old.to_frame()
    assert list(frame.index) == ["model", "unguided", "real", "vae", "overlay", "wrong_sketch"]
    assert frame.loc["model", "edge_f1_1px"] == pytest.approx(0.334702, abs=1e-6)
    assert frame.loc["real", "clip_skill"] == 1
    assert spread_figures(old.rows["model"])["kid_n2"] == "7.2523"
    assert old.identity.packages["lepbench"] == "0.1.0"


def test_its_samples_bear_its_figures_out(old: Record) -> None:
    samples = old.samples()
    means = samples[samples["row"] == "model"][["edge_f1_1px", "mask_iou", "class_accuracy"]].mean()
    stated = {name: old.rows["model"][name].value for name in means.index}
    pd.testing.assert_series_equal(means, pd.Series(stated), rtol=1e-9)


def test_it_is_shown(old: Record, tmp_path: Path) -> None:
    tables = make_terminal_tables(old, 80)
    headings = [str(column.header) for table in tables for column in table.columns]
    assert headings.count("row") == len(tables)
    assert len(headings) == len(tables) + len(MAIN)
    assert "KID ↓" in headings
    assert "CLIP skill ↑" in headings
    assert "faithful F1 model 0.000, unguided 0.162" in write_headline(old)
    assert "CLIP skill" in old._repr_html_()
    write_csv(tmp_path, old)
    assert len((tmp_path / "table.csv").read_text().splitlines()) == 7
    assert draw_sheet("old", write_headline(old), ["sketch"], []).width > 0


@pytest.mark.parametrize("width", [40, 60, 120])
def test_columns_that_do_not_fit_make_another_table_and_no_number_is_cut(old: Record, width: int) -> None:
    console = Console(width=width)
    with console.capture() as capture:
        for table in make_terminal_tables(old, width):
            console.print(table)
    printed = capture.get()
    assert max(map(len, printed.splitlines())) <= width
    for figures in old.rows.values():
        for metric in MAIN:
            for line in format_cell(figures[metric]).plain.splitlines():
                assert line in printed


def test_it_makes_a_table_of_its_own() -> None:
    lines = lepbench.make_table(OLD, format="csv", rows=["model", "real"]).splitlines()
    figures = [name for name in lines[0].split(",")[1:] if not name.endswith(("_low", "_high"))]
    assert figures == [*MAIN[:-1], "kid_n2"]
    assert [line.partition(",")[0] for line in lines[1:]] == ["mini-lep", "real"]


def test_it_is_not_held_against_the_present_protocol(tmp_path: Path) -> None:
    message = "0.1.0 was scored by another protocol than the present lepbench-edges-v1; evaluate again"
    with pytest.raises(LepbenchError, match=message):
        verify_record(OLD, lepbench.load_suite("sketchworld-edges-v1"))
    other = copytree(OLD, tmp_path / "other")
    record = (other / "record.json").read_text()
    (other / "record.json").write_text(record.replace('"name": "mini-lep"', '"name": "other"'))
    with pytest.raises(LepbenchError, match=message):
        compare([OLD, other])
    with pytest.raises(LepbenchError, match=message):
        lepbench.make_table(OLD, other)
