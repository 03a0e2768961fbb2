"""`lepbench leaderboard add` as a person runs it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tiny_evaluation import own_cache, tiny_judges, tiny_model, tiny_suite

from lepbench.cli.app import main
from lepbench.evaluation.run import evaluate
from lepbench.judges import Judges
from lepbench.methods import ModelConfig
from lepbench.suites import Suite

__all__ = ["own_cache", "tiny_judges", "tiny_model", "tiny_suite"]


def lepbench(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["lepbench", *map(str, arguments)])
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


@pytest.mark.slow
def test_a_run_is_added_and_a_wrong_one_is_one_line(
    tmp_path: Path,
    tiny_model: ModelConfig,
    tiny_suite: Suite,
    tiny_judges: Judges,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    evaluate(tiny_model, tiny_suite, tmp_path / "out", device="cpu", judges=tiny_judges)
    command = ["leaderboard", "add", tmp_path / "out"]
    where = ["--leaderboards", tmp_path / "boards", "--suite", tiny_suite.folder]
    board = tmp_path / "boards" / "tiny-suite" / "lepbench-edges-v1.csv"
    capsys.readouterr()
    assert lepbench(monkeypatch, *command, *where) == 0
    assert capsys.readouterr().out == f"added to {board}\n"
    assert lepbench(monkeypatch, *command, *where) == 0
    assert capsys.readouterr().out == f"already in {board}\n"
    assert len(board.read_text().splitlines()) == 2
    for arguments in (
        [*command, "--leaderboards", tmp_path / "boards"],
        ["leaderboard", "add", tmp_path / "none"],
        ["leaderboard", "remove"],
    ):
        assert lepbench(monkeypatch, *arguments) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert len(said.err.strip().splitlines()) == 1
