"""`lepbench report` and `lepbench leaderboard site` as a person runs them."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import call_command

ROOT = Path(__file__).resolve().parents[2]


def test_the_shipped_boards_become_a_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    boards = tmp_path / "boards"
    name = "sketchworld-edges-v1"
    boards.mkdir()
    (boards / name).symlink_to(ROOT / "leaderboards" / name)
    assert (
        call_command(monkeypatch, "leaderboard", "site", boards, "--out", tmp_path / "s", "--title", "X") == 0
    )
    assert capsys.readouterr().out == f"wrote {tmp_path / 's'}: open {tmp_path / 's' / 'index.html'}\n"
    assert "<title>X</title>" in (tmp_path / "s" / "index.html").read_text()
    assert (tmp_path / "s" / "models" / "mini-lep.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report"], "Missing argument"),
        (["report", "none"], "record.json"),
        (["leaderboard", "site", "none"], "Missing option '--out'"),
        (["leaderboard", "site", "none", "--out", "OUT"], "none holds no line"),
        (["leaderboard", "site", "--out", "OUT", "--runs", "none"], "'none' does not exist"),
    ],
)
def test_what_cannot_be_shown_is_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call_command(monkeypatch, *arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err
    assert len(said.err.strip().splitlines()) == 1
