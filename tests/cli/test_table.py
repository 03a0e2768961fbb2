"""`lepbench table` and `lepbench leaderboard show` as a person runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import call_command

from lepbench.cli.table import FORMATS
from lepbench.publishing import formats

OLD = Path(__file__).parents[1] / "publishing" / "records" / "0.1.0"


def test_every_format_is_offered() -> None:
    assert list(FORMATS) == list(formats.FORMATS)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_table_is_printed_or_written(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["table", OLD, "--format", kind, "--metrics", "kid, edge_f1_1px", "--rows", "model,real"]
    assert call_command(monkeypatch, *command, "--intervals") == 0
    printed = capsys.readouterr().out
    assert "mini-lep" in printed
    assert "unguided" not in printed
    assert call_command(monkeypatch, *command, "--intervals", "--out", tmp_path / "table") == 0
    assert capsys.readouterr().out == f"{tmp_path / 'table'}\n"
    assert (tmp_path / "table").read_text() == printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["table"], "Missing argument"),
        (["table", OLD, "--format", "html"], "'html' is not one of"),
        (["table", OLD, "--metrics", "edge"], "there is no figure 'edge'"),
        (["table", OLD, "--rows", "fake"], "there is no row 'fake'"),
        (["table", "none"], "record.json"),
        (["leaderboard", "show", "none/none"], "has no leaderboard 'none/none'"),
    ],
)
def test_what_cannot_be_shown_is_one_line(
    arguments: list[object],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call_command(monkeypatch, *arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err
    assert len(said.err.strip().splitlines()) == 1


def test_boards_are_listed_and_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "photos").mkdir()
    board = tmp_path / "photos" / "mine.csv"
    board.write_text(
        "model,backbone,method,sampler,items,samples,kid@x_n8,kid@x_n8_low,kid@x_n8_high,"
        "label,lepbench,suite_sha256,protocol_sha256,record\n"
        'ours,mini@1,unguided,"ddim, 50 steps, guidance 4",8,8,0.5,,,'
        f"figures on mini@1,0.1.0,{'01' * 32},{'12' * 32},{'23' * 32}\n"
    )
    board.with_suffix(".json").write_text(json.dumps({"rank_by": None, "confidence": 0.95}))
    assert call_command(monkeypatch, "leaderboard", "show", "--leaderboards", tmp_path) == 0
    assert capsys.readouterr().out == "photos/mine  models: 1, unranked: no figure of mine ranks\n"
    command = ["leaderboard", "show", "photos/mine", "--leaderboards", tmp_path, "--format", "markdown"]
    assert call_command(monkeypatch, *command) == 0
    out = capsys.readouterr().out
    assert "| ours | 0.500 |" in out
    assert "- unranked: no figure of mine ranks" in out
