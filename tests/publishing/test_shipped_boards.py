"""The leaderboards of the repository are in order, and those of suites that ship are under what ships."""

from __future__ import annotations

from pathlib import Path

import pytest

from lepbench.evaluation.protocols import select_protocol
from lepbench.publishing.board_check import check_boards
from lepbench.publishing.board_lines import read_lines
from lepbench.suites import list_shipped, load_suite

LEADERBOARDS = Path(__file__).parents[2] / "leaderboards"
BOARDS = sorted(LEADERBOARDS.glob("*/*.csv"))
SHIPPED = [board for board in BOARDS if board.parent.name in list_shipped()]


def test_every_board_is_in_order() -> None:
    assert check_boards(LEADERBOARDS) == [f"{board.parent.name}/{board.stem}" for board in BOARDS]


@pytest.mark.parametrize("board", SHIPPED, ids=lambda board: board.stem)
def test_lines_have_the_hashes_of_the_suite_and_protocol_that_ship(board: Path) -> None:
    suite = load_suite(board.parent.name)
    protocol = select_protocol(suite)
    assert protocol.name == board.stem
    lines, _ = read_lines(board)
    assert lines
    assert {line["suite_sha256"] for line in lines} == {suite.sha256}
    assert {line["protocol_sha256"] for line in lines} == {protocol.sha256}
