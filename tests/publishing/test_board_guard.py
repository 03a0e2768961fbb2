"""The guard's columns of boards: what is written, what ranks last, and what no guard writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from lepbench.errors import LepbenchError
from lepbench.evaluation.guard import GuardReport
from lepbench.metrics.statistics import Interval
from lepbench.publishing.board_guard import COLUMNS, check_guard, has_failed, write_guard
from lepbench.publishing.board_lines import BoardLine, sort_lines

HONEST = GuardReport(
    Interval(0.01, 0.0, 0.02), Interval(-0.02, -0.03, 0.0), Interval(0.1, 0, 0.2), copied=0.0
)
CLIMBED = GuardReport(
    Interval(0.18, 0.15, 0.2), Interval(0.07, 0.06, 0.08), Interval(2.4, 1.9, 3.0), copied=0.0
)


def test_a_report_is_written_and_accepted() -> None:
    cells = write_guard(HONEST)
    assert list(cells.values()) == ["0.0100", "-0.0200", "0.1000", "", "0.0000", "passed"]
    assert write_guard(CLIMBED)["guard"] == "failed: caption, realism"
    for report in (HONEST, CLIMBED, None):
        check_guard("line 2", write_guard(report), "restore it")
    check_guard("line 2", {}, "restore it")


def test_what_was_made_for_the_judges_ranks_last() -> None:
    def line(model: str, value: str, report: GuardReport | None) -> BoardLine:
        return {"model": model, "faithful_f1": value, **write_guard(report)}

    lines = [line("climbed", "0.9", CLIMBED), line("honest", "0.8", HONEST), line("unread", "0.85", None)]
    for rank_by, expected in (("faithful_f1", ["unread", "honest", "climbed"]), (None, ["honest", "unread"])):
        found = [one["model"] for one in sort_lines(lines, rank_by)]
        assert found[: len(expected)] == expected
        assert found[-1] == "climbed"
    assert [has_failed(one) for one in lines] == [True, False, False]


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("guard", "", "figures of the guard without its word"),
        ("guard", "failed", "guard 'failed'"),
        ("guard", "failed: caption, looks", "guard 'failed: caption, looks'"),
        ("guard", "PASSED", "guard 'PASSED'"),
        ("guard_skill_gap", "0.1", "guard_skill_gap '0.1'"),
        ("guard_kid_loss", "nan", "guard_kid_loss 'nan'"),
    ],
)
def test_cells_that_no_guard_writes_are_refused(column: str, cell: str, message: str) -> None:
    cells = write_guard(HONEST) | {column: cell}
    with pytest.raises(LepbenchError, match=message):
        check_guard("board.csv, line 2", cells, "restore it")


def test_shipped_boards_say_what_the_guard_found() -> None:
    """Every line of a board that has them; those that failed stand last."""
    import csv

    for board in sorted(Path(__file__).parents[2].glob("leaderboards/sketchworld-*/*.csv")):
        with board.open(newline="") as stream:
            lines = list(csv.DictReader(stream))
        assert len({bool(line.get(column)) for line in lines for column in COLUMNS}) == 1, board
        failed = [has_failed(line) for line in lines]
        assert failed == sorted(failed), board
