"""The tables of docs/audit.md are of the boards as they are, and agree with themselves."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

from lepbench.cli.leaderboard_audit import COLUMNS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"lepbench leaderboard audit (\S+) [^`]+```\n\n```\n(model,[^`]+)```", TEXT)
"""Boards, and the CSV that stands below each command."""


def test_two_boards_are_audited() -> None:
    assert len({board for board, _ in SHOWN}) == 2


@pytest.mark.parametrize(("board", "table"), SHOWN)
def test_public_figures_are_the_boards_and_marks_follow(board: str, table: str) -> None:
    with (ROOT / "leaderboards" / f"{board}.csv").open(newline="") as stream:
        published = {line["model"]: line for line in csv.DictReader(stream)}
    lines = list(csv.DictReader(io.StringIO(table)))
    assert lines
    for line in lines:
        assert tuple(line) == COLUMNS
        assert line["board"] == published[line["model"]][line["metric"]]
        number = {name: float(line[name]) for name in COLUMNS[2:-1]}
        assert number["public"] == pytest.approx(number["board"], abs=2e-3)
        assert number["difference"] == pytest.approx(number["fresh"] - number["public"], abs=1e-5)
        assert line["differs"] == ("no" if number["low"] <= 0 <= number["high"] else "yes")
