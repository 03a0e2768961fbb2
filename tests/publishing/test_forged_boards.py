"""A board that was edited by hand is refused in one line."""

from __future__ import annotations

import csv
import io
import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from lepbench.errors import LepbenchError
from lepbench.publishing.board_cells import fold_name
from lepbench.publishing.board_check import check_boards
from lepbench.publishing.board_lines import BoardLine, read_lines
from lepbench.publishing.flat_figures import format_lines
from lepbench.publishing.leaderboard import lock_boards

OURS = Path(__file__).parents[2] / "leaderboards"
BOARD = Path("sketchworld-edges-v1/lepbench-edges-v1.csv")


@pytest.fixture
def board(tmp_path: Path) -> Path:
    """A copy of one of the repository's boards."""
    shutil.copytree(OURS / BOARD.parent, tmp_path / BOARD.parent)
    return tmp_path / BOARD


def write_lines(board: Path, change: Callable[[list[BoardLine]], object]) -> None:
    """Change a board's lines, whatever comes of it."""
    lines, columns = read_lines(board)
    change(lines)
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    board.write_text(text.getvalue())


def write_terms(board: Path, **changes: object) -> None:
    path = board.with_suffix(".json")
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def set_cell(column: str, value: str, line: int = 0) -> Callable[[Path], object]:
    return lambda board: write_lines(board, lambda lines: lines[line].update({column: value}))


def test_the_boards_of_the_repository_are_in_order() -> None:
    names = [f"{path.parent.name}/{path.stem}" for path in sorted(OURS.glob("*/*.csv"))]
    assert check_boards(OURS) == names


EDITS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a figure that cannot be": (
        set_cell("faithful_f1", "9.9"),
        "line 2 has faithful_f1 9.9, no number of 0 to 1",
    ),
    "a figure that is no number": (set_cell("kid@sketchworld-clip_n64", "nan"), "'nan', no finite number"),
    "a word": (set_cell("edge_f1_1px_low", "high"), "has edge_f1_1px 'high', no finite number"),
    "a distance below zero": (set_cell("chamfer_px", "-1"), "chamfer_px -1, no number of 0 to inf"),
    "an interval turned round": (set_cell("edge_f1_1px_low", "0.99"), "interval of edge_f1_1px from 0.99 to"),
    "another order": (
        lambda b: write_lines(b, lambda lines: lines.reverse()),
        "out of order: '.*' stands too low",
    ),
    "a better headline": (set_cell("faithful_f1", "0.85", 3), "out of order: .* stands too low"),
    "a line twice": (
        lambda b: write_lines(b, lambda lines: lines.append(lines[-1])),
        "has record [0-9a-f]{64} twice",
    ),
    "a model twice": (
        lambda b: write_lines(b, lambda lines: lines[1].update(model=lines[0]["model"])),
        "has model '.*' twice",
    ),
    "a name that looks alike": (
        lambda b: write_lines(
            b, lambda lines: lines[1].update(model=lines[0]["model"].replace("i", "1", 1).upper())
        ),
        "has models '.*' and '.*', which look alike",
    ),
    "a formula": (
        set_cell("backbone", '=HYPERLINK("https://example.org")'),
        "line 2 has a formula in column backbone",
    ),
    "a name with a path": (set_cell("model", "../x"), "has a model '../x', no name of one"),
    "no hash": (set_cell("record", "0"), "has record '0', no SHA-256"),
    "another level": (
        set_cell("level", "certified"),
        "line 2 has level 'certified'; write one of: self-reported, verified, redrawn",
    ),
    "other samples": (set_cell("samples", "640"), "has lines with samples 64 and 640"),
    "another suite": (
        lambda b: b.write_text(b.read_text().replace(read_lines(b)[0][0]["suite_sha256"], "01" * 32)),
        "has suite_sha256 (01){32}, it is d9b3d861",
    ),
    "another protocol": (
        lambda b: b.write_text(b.read_text().replace(read_lines(b)[0][0]["protocol_sha256"], "01" * 32)),
        "has protocol_sha256 (01){32}, it is",
    ),
    "digits that are not plain": (
        set_cell("edge_f1_1px", "0.8_9"),
        "has edge_f1_1px '0.8_9', no finite number",
    ),
    "no figure that ranks": (
        lambda b: b.write_text(b.read_text().replace("faithful_f1", "faithful_f2")),
        "a board ranked by faithful_f1 has no such column",
    ),
    "looser terms": (
        lambda b: write_terms(b, headline_tolerance=3),
        "has headline_tolerance 3, lepbench-edges-v1 has 1",
    ),
    "terms of another protocol": (lambda b: write_terms(b, name="other"), "holds protocol 'other'"),
    "no terms": (lambda b: b.with_suffix(".json").unlink(), "cannot read .*lepbench-edges-v1.json"),
    "terms that are a list": (lambda b: b.with_suffix(".json").write_text("[]"), "holds no protocol"),
    "marks of a merge": (
        lambda b: b.write_text(f"{b.read_text()}<<<<<<< HEAD\n"),
        r"holds the marks of a merge \(line \d+\)",
    ),
    "a column gone": (
        lambda b: b.write_text(b.read_text().replace(",record\n", ",recorded\n")),
        "has no column 'record'",
    ),
    "a column twice": (
        lambda b: b.write_text(b.read_text().replace(",sampler,", ",method,", 1)),
        "has two columns 'method'",
    ),
    "a board beside the boards": (
        lambda b: shutil.copy(b, b.parent.parent / "x.csv"),
        "x.csv belongs to no board",
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_board_is_refused(board: Path, name: str) -> None:
    change, message = EDITS[name]
    change(board)
    with pytest.raises(LepbenchError, match=message):
        check_boards(board.parent.parent)


def test_a_board_of_a_suite_that_does_not_ship_has_the_hash_of_its_terms(tmp_path: Path) -> None:
    board = next(path for path in sorted(OURS.glob("*/*.csv")) if "conflict" in path.name)
    shutil.copytree(board.parent, tmp_path / board.parent.name)
    assert check_boards(tmp_path) == [f"{board.parent.name}/{board.stem}"]
    write_terms(tmp_path / board.parent.name / board.name, headline_tolerance=3)
    with pytest.raises(LepbenchError, match=r"has protocol_sha256 .*, it is "):
        check_boards(tmp_path)


def test_names_that_a_reader_takes_for_one_another() -> None:
    assert fold_name("Mini-LEP") == fold_name("m1ni_lep") == fold_name("rnini.1ep")
    assert fold_name("mini-lep") != fold_name("mini-lep-fast")


@pytest.mark.parametrize("cell", ["=1+1", "+cmd", "-x", "@SUM(A1)", "\tx", "\rx", "-1-1"])
def test_no_formula_is_written(cell: str) -> None:
    with pytest.raises(LepbenchError, match="is a formula to a spreadsheet"):
        format_lines(["model"], [{"model": cell}])
    assert format_lines(["kid"], [{"kid": "-0.25"}, {"kid": "-1e-05"}]) == "kid\n-0.25\n-1e-05\n"


def test_a_board_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    order = []

    def add() -> None:
        with lock_boards(tmp_path):
            order.append("second")

    other = threading.Thread(target=add)
    with lock_boards(tmp_path):
        other.start()
        other.join(0.2)
        order.append("first")
    other.join()
    assert order == ["first", "second"]
