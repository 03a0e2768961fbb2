"""The leaderboards of the repository are under the suites and protocols that ship."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from lepbench.evaluation.protocols import select_protocol
from lepbench.suites import load_suite

BOARDS = sorted((Path(__file__).parents[2] / "leaderboards").glob("*/*.csv"))


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.stem)
def test_lines_have_the_hashes_of_the_suite_and_protocol_that_ship(board: Path) -> None:
    suite = load_suite(board.parent.name)
    protocol = select_protocol(suite)
    assert protocol.name == board.stem
    with board.open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert lines
    assert {line["suite_sha256"] for line in lines} == {suite.sha256}
    assert {line["protocol_sha256"] for line in lines} == {protocol.sha256}
