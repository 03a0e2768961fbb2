"""Lines, columns and files of boards that no run gives are refused in one line."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lepbench.errors import LepbenchError
from lepbench.publishing.board_cells import fold_name
from lepbench.publishing.board_check import check_boards

OURS = Path(__file__).parents[2] / "leaderboards"
BOARD = Path("sketchworld-edges-v1/lepbench-edges-v1.csv")
ENDS = ("", "_low", "_high")
Edit = Callable[[list[list[str]]], object]


@pytest.fixture
def board(tmp_path: Path) -> Path:
    """A copy of one of the repository's boards."""
    shutil.copytree(OURS / BOARD.parent, tmp_path / BOARD.parent)
    return tmp_path / BOARD


def edit_rows(board: Path, change: Edit) -> None:
    """Change the rows of a board, the header among them."""
    with board.open(newline="") as stream:
        rows = list(csv.reader(stream))
    change(rows)
    with board.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)


def set_cells(line: int = 1, /, **cells: str) -> Edit:
    """Set cells of a line by their column, `__` standing for @."""

    def change(rows: list[list[str]]) -> None:
        for name, cell in cells.items():
            rows[line][rows[0].index(name.replace("__", "@"))] = cell

    return change


def set_all(column: str, cell: str) -> Edit:
    def change(rows: list[list[str]]) -> None:
        for row in rows[1:]:
            row[rows[0].index(column)] = cell

    return change


def drop_columns(*names: str) -> Edit:
    def change(rows: list[list[str]]) -> None:
        for place in sorted((rows[0].index(name) for name in names), reverse=True):
            for row in rows:
                del row[place]

    return change


def rename_column(old: str, new: str) -> Edit:
    def change(rows: list[list[str]]) -> None:
        rows[0][:] = [name.replace(old, new) for name in rows[0]]

    return change


def swap_columns(rows: list[list[str]]) -> None:
    for row in rows:
        row.insert(0, row.pop(1))


def add_figure(name: str) -> Edit:
    def change(rows: list[list[str]]) -> None:
        for row in rows:
            row[6:6] = [f"{name}{end}" for end in ENDS] if row is rows[0] else ["1"] * len(ENDS)

    return change


EDITS: dict[str, tuple[Edit, str]] = {
    "a level of pictures from elsewhere": (
        set_cells(method="precomputed(folder=x)"),
        "line 2 has level verified, of pictures that were drawn elsewhere",
    ),
    "a level without a backbone": (
        set_cells(backbone="", sampler="", label="pictures drawn elsewhere"),
        "has level verified, of pictures that were drawn elsewhere",
    ),
    "levels left out": (drop_columns("level"), "has no column 'level'; add its runs anew"),
    "a figure outside its interval": (
        set_cells(edge_f1_1px_low="0.99", edge_f1_1px_high="0.995"),
        "has edge_f1_1px 0.[0-9]+, outside its interval 0.99 to 0.995",
    ),
    "one end of an interval": (set_cells(edge_f1_1px_low=""), "has one end of an interval of edge_f1_1px"),
    "a figure that falls with its tolerance": (
        set_cells(edge_f1_3px="0.1", edge_f1_3px_low="0.1", edge_f1_3px_high="0.1"),
        "has edge_f1_2px 0.[0-9]+, above its edge_f1_3px 0.1",
    ),
    "a score of other captions": (
        set_cells(**{f"clip_score__sketchworld-clip{end}": "99.9" for end in ENDS}),
        "has clip_similarity@sketchworld-clip 0.[0-9]+ and a score of 99.9",
    ),
    "a distance of no set": (
        set_cells(**{"kid__sketchworld-clip_n64": "-1e300"}),
        "has kid@sketchworld-clip_n64 -1e300, no number of -10 to inf",
    ),
    "a blank figure": (
        set_cells(2, **{f"mask_iou__sketchworld-segmenter{end}": "" for end in ENDS}),
        "has no mask_iou@sketchworld-segmenter of '",
    ),
    "no headline": (
        set_cells(faithful_f1="", faithful_f1_low="", faithful_f1_high=""),
        "has no faithful_f1 of '",
    ),
    "more items than there are": (
        lambda rows: [set_all(name, "100000")(rows) for name in ("items", "samples")],
        "has 100000 items of sketchworld-edges-v1, of which a board takes 64 to",
    ),
    "fewer items": (
        lambda rows: [set_all(name, "8")(rows) for name in ("items", "samples")],
        "has 8 items of sketchworld-edges-v1, of which a board takes 64 to",
    ),
    "a part of an item": (set_all("samples", "65"), "has 65 samples of 64 items"),
    "no digits": (set_cells(items="\u0666\u0664"), "has items .*, no number of them"),
    "text from right to left": (
        set_cells(method="lep(\u202e)"),
        "has method .*u202e.*, with characters that are not what they look like",
    ),
    "what a terminal obeys": (set_cells(method="lep(\x1b[31m)"), "x1b.*, with characters that are not"),
    "two lines": (set_cells(method="lep(\n)"), "has method .*, with characters that are not what"),
    "a page's markup": (set_cells(method="lep(<b>)"), "has method 'lep.<b>.', no plain text of a line"),
    "no method": (set_cells(method="the best one"), "has method 'the best one', no method with its settings"),
    "a backbone that is a path": (
        set_cells(backbone="../x"),
        "has backbone '../x', no embedded name, hub id",
    ),
    "a backbone that looks alike": (
        set_cells(backbone="mini\uff201"),
        "has backbone 'mini.*uff201', with characters that are not what they look like",
    ),
    "another backbone than its label": (
        set_cells(backbone="stabilityai/sd"),
        "has label 'figures on mini@1' of backbone 'stabilityai/sd'",
    ),
    "a backbone that nobody looked at": (
        set_cells(backbone="stabilityai/sd", label="figures on stabilityai/sd"),
        "has label .*, without what verified lines say of their backbone",
    ),
    "a label of one's own": (
        set_cells(label="figures on mini@1; certified"),
        "has label .*, with more than what verified lines say of their backbone",
    ),
    "no sampler": (set_cells(sampler="perfect"), "has sampler 'perfect', no sampler with its settings"),
    "a version to come": (set_cells(lepbench="99.0"), "has lepbench '99.0', no version up to this one"),
    "a record of nothing": (set_cells(record="0" * 64), "has record '0+', no SHA-256"),
    "a name with a doubled hyphen": (
        lambda rows: set_cells(2, model=rows[1][0].replace("-", "--", 1))(rows),
        "which look alike",
    ),
    "a name with a dot behind": (
        lambda rows: set_cells(2, model=f"{rows[1][0]}.")(rows),
        "has a model '.*', no name of one",
    ),
    "a figure of another count": (
        rename_column("kid@sketchworld-clip_n64", "kid@sketchworld-clip_n50000"),
        "has no column 'kid@sketchworld-clip_n64'",
    ),
    "a figure that no measure gives": (
        add_figure("beauty"),
        "has a column 'beauty', of no figure of lepbench-edges-v1",
    ),
    "a column of words": (rename_column("chamfer_px_low", "remark"), "of no figure with an interval"),
    "an order of columns": (
        swap_columns,
        "has its columns in another order than lepbench-edges-v1",
    ),
    "no interval of the headline": (
        drop_columns("faithful_f1_low", "faithful_f1_high"),
        "has a column 'faithful_f1' of no figure with an interval",
    ),
    "no headline column": (
        drop_columns("faithful_f1", "faithful_f1_low", "faithful_f1_high"),
        "a board ranked by faithful_f1 has no such column",
    ),
    "a header alone": (lambda rows: [rows.pop() for _ in rows[1:]], "has no lines; remove it, or add a run"),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_line_that_no_run_gives_is_refused(board: Path, name: str) -> None:
    change, message = EDITS[name]
    edit_rows(board, change)
    with pytest.raises(LepbenchError, match=message):
        check_boards(board.parent.parent)


def link(board: Path) -> None:
    board.rename(board.parent / "other")
    board.symlink_to(board.parent / "other")


def call_alike(board: Path) -> None:
    for path in list(board.parent.iterdir()):
        path.rename(board.with_name(f"lepbench_mine{path.suffix}"))
    terms = board.with_name("lepbench_mine.json")
    terms.write_text(terms.read_text().replace('"lepbench-edges-v1"', '"lepbench_mine"', 1))


PLACES: dict[str, tuple[Callable[[Path], object], str]] = {
    "large letters": (
        lambda b: b.parent.rename(b.parent.parent / "Sketchworld-edges-v1"),
        "suite 'Sketchworld-edges-v1' looks like 'sketchworld-edges-v1'",
    ),
    "a letter for a digit": (
        lambda b: b.parent.rename(b.parent.parent / "sketchworld-edges-vl"),
        "suite 'sketchworld-edges-vl' looks like 'sketchworld-edges-v1'",
    ),
    "another alphabet": (
        lambda b: b.parent.rename(b.parent.parent / "sk\u0435tchworld-edges-v1"),
        "u0435tchworld-edges-v1', no name of letters and digits",
    ),
    "a link": (link, "lepbench-edges-v1.csv is a link; put the file itself there"),
    "a linked folder": (
        lambda b: (b.parent.parent / "more").symlink_to(b.parent),
        "more is a link; put the file itself there",
    ),
    "another suffix": (
        lambda b: shutil.copy(b, b.with_suffix(".CSV")),
        "lepbench-edges-v1.CSV belongs to no board",
    ),
    "a board too deep": (
        lambda b: shutil.copytree(b.parent, b.parent / "more"),
        "belongs to no board SUITE/PROTOCOL.csv",
    ),
    "terms without a board": (
        lambda b: shutil.copy(b.with_suffix(".json"), b.with_name("more.json")),
        "more.json belongs to no board",
    ),
    "a protocol like ours": (
        call_alike,
        "lepbench_mine.csv is called like a protocol that ships; name it without 'lepbench-'",
    ),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_file_or_folder_that_is_no_board_is_refused(board: Path, name: str) -> None:
    change, message = PLACES[name]
    change(board)
    with pytest.raises(LepbenchError, match=message):
        check_boards(next(path for path in board.parents if path.is_dir() and path != board.parent))


def test_names_that_differ_in_what_a_reader_overlooks() -> None:
    assert fold_name("mini--lep-gentle") == fold_name("mini-lep-gentle.") == fold_name("nnini_lep-gentle")
    assert fold_name("mini-lep") != fold_name("minilep")
