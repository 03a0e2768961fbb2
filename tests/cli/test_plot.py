"""`lepbench plot` as a person runs it: what is in the file is what the records say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command import call_command

from lepbench.cli.plot import KINDS
from lepbench.publishing import run_plots

OLD = Path(__file__).parents[1] / "publishing" / "records" / "0.1.0"


def test_every_kind_is_offered() -> None:
    assert list(KINDS) == list(run_plots.KINDS)


def test_curves_over_the_tolerance_name_their_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "edges.svg"
    command = ["plot", "tolerance", OLD, "--metrics", "edge_f1", "--rows", "model,real", "--out", out]
    assert call_command(monkeypatch, *command) == 0
    texts = re.findall(r"<text[^>]*>([^<]+)</text>", out.read_text())
    assert {"mini-lep", "real", "edge F1", "tolerance, px"} <= set(texts)
    assert "edge recall" not in texts


def test_a_front_of_conditions_holds_the_fonts_of_its_letters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "a.pdf", tmp_path / "b.pdf"
    for out in (first, second):
        command = ["plot", "front", OLD, "--rows", "model,unguided,overlay", "--out", out]
        assert call_command(monkeypatch, *command) == 0
    assert b"/FontFile2" in first.read_bytes()
    assert b"/Type3" not in first.read_bytes()
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["curves", OLD, "--out", "a.pdf"], "gives none"),
        (["tolerance", OLD, "--out", "a.gif"], "a.gif is no .png, .pdf, .svg file"),
        (["tolerance", OLD, "--out", "a.pdf", "--metrics", "edge_f2"], "there is no figure 'edge_f2'"),
        (["front", OLD, "--out", "a.pdf"], "a front is of two runs or more"),
        (["front", OLD, "--out", "a.pdf", "--metrics", "mask_iou"], "of two figures, not 1"),
        (["fronts", OLD, "--out", "a.pdf"], "'fronts' is not one of"),
        (["front", "none", "--out", "a.pdf"], "record.json"),
    ],
)
def test_what_cannot_be_plotted_is_one_line(
    arguments: list[object],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call_command(monkeypatch, "plot", *arguments) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
