"""A board is shown as it is kept: in its order, with what ranks it or that nothing does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import pytest

from lepbench.errors import LepbenchError
from lepbench.evaluation.figures import Figure
from lepbench.evaluation.verification_levels import MEANINGS
from lepbench.publishing.board_lines import sort_lines
from lepbench.publishing.board_table import describe_boards, find_board, tabulate_board
from lepbench.publishing.flat_figures import format_lines, spread_figures

FIGURES = {
    "alone": {
        "edge_f1_2px": Figure(value=0.25, low=0.125, high=0.5, n=64),
        "kid@dinov2-l14": Figure(value=1, n=64),
    },
    "better": {"edge_f1_2px": Figure(value=0.5, n=64), "kid@dinov2-l14": Figure(value=2, n=64)},
}


def write_board(folder: Path, rank_by: str | None, levels: Sequence[str] = ()) -> Path:
    lines = [
        {
            "model": name,
            "items": "32",
            "samples": "64",
            **spread_figures(figures),
            "label": "figures on mini@1",
            **({"level": level} if level else {}),
        }
        for (name, figures), level in zip_longest(FIGURES.items(), levels)
    ]
    path = folder / "photos" / "mine-v1.csv"
    path.parent.mkdir()
    path.write_text(format_lines(list(lines[0]), sort_lines(lines, rank_by)))
    path.with_suffix(".json").write_text(json.dumps({"rank_by": rank_by, "confidence": 0.9}))
    return path


def test_a_figure_that_no_line_has_makes_no_column(tmp_path: Path) -> None:
    path = write_board(tmp_path, None)
    path.write_text(path.read_text().replace(",1,,,", ",,,,").replace(",2,,,", ",,,,"))
    assert [column.metric for column in tabulate_board(path).columns] == ["edge_f1_2px"]


def test_an_unranked_board_says_so_and_marks_nothing(tmp_path: Path) -> None:
    table = tabulate_board(write_board(tmp_path, None))
    assert table.notes == [
        "unranked: no figure of mine-v1 ranks",
        "64 samples of 32 items",
        "figures on mini@1",
    ]
    assert not table.best
    assert not table.marks
    assert {line.name: line.figures for line in table.lines} == FIGURES
    assert [column.heading for column in table.columns] == ["edge F1 2px ↑", "KID dinov2-l14 (n=64) ↓"]
    assert list(map(str, describe_boards(tmp_path))) == [
        "photos/mine-v1  models: 2, unranked: no figure of mine-v1 ranks"
    ]


@pytest.mark.parametrize(
    ("rank_by", "order", "said"),
    [
        ("edge_f1_2px", ["better", "alone"], "ranked by edge F1 2px"),
        ("kid@dinov2-l14", ["alone", "better"], "ranked by KID dinov2-l14"),
    ],
)
def test_a_ranked_board_is_in_its_order(rank_by: str, order: list[str], said: str, tmp_path: Path) -> None:
    table = tabulate_board(write_board(tmp_path, rank_by), metrics=["kid"])
    assert [line.name for line in table.lines] == order
    assert table.notes[0] == said
    assert table.best == {("alone", "kid@dinov2-l14")}
    assert table.confidence == 0.9


def test_self_reported_lines_stand_apart(tmp_path: Path) -> None:
    path = write_board(tmp_path, "edge_f1_2px", ["redrawn", "self-reported"])
    table = tabulate_board(path, metrics=["edge_f1_2px"])
    assert [line.name for line in table.lines] == ["alone", "better"]
    assert table.best == {("alone", "edge_f1_2px")}
    assert table.notes[2:] == [
        "figures on mini@1",
        f"alone: redrawn ({MEANINGS['redrawn']})",
        f"better: self-reported ({MEANINGS['self-reported']})",
    ]


def test_where_all_are_self_reported_the_best_is_marked(tmp_path: Path) -> None:
    table = tabulate_board(write_board(tmp_path, "edge_f1_2px", ["self-reported"] * 2))
    assert [line.name for line in table.lines] == ["better", "alone"]
    assert ("better", "edge_f1_2px") in table.best
    assert table.notes[-1] == f"self-reported ({MEANINGS['self-reported']})"


def test_boards_are_found_by_suite_and_protocol(tmp_path: Path) -> None:
    path = write_board(tmp_path, None)
    assert find_board(tmp_path, "photos/mine-v1") == find_board(tmp_path, "photos/mine-v1.csv") == path
    with pytest.raises(LepbenchError, match=r"no leaderboard 'photos/mine'; did you mean 'photos/mine-v1'"):
        find_board(tmp_path, "photos/mine")
    with pytest.raises(LepbenchError, match="add a run with 'lepbench leaderboard add'"):
        find_board(tmp_path / "none", "photos/mine")


def test_terms_of_an_earlier_version_are_read_and_missing_ones_named(tmp_path: Path) -> None:
    path = write_board(tmp_path, None)
    terms = path.with_suffix(".json")
    terms.write_text(json.dumps({"confidence": 0.95}))
    assert tabulate_board(path).notes[0] == "its terms are of an earlier version and do not say what ranks"
    terms.write_text("[]")
    with pytest.raises(LepbenchError, match=r"mine-v1\.json holds no protocol"):
        tabulate_board(path)
    terms.unlink()
    with pytest.raises(LepbenchError, match=r"mine-v1\.json"):
        tabulate_board(path)


def test_a_board_that_a_spreadsheet_saved_is_read(tmp_path: Path) -> None:
    path = write_board(tmp_path, None)
    expected = tabulate_board(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert tabulate_board(path) == expected


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",", ";", "has no column items, label, model, samples"),
        ("0.5,", "0|5,", "could not convert string"),
        (",figures on mini@1", "", "more or fewer cells than the header"),
    ],
    ids=["semicolons", "no number", "cut off"],
)
def test_a_damaged_board_is_one_line(old: str, new: str, message: str, tmp_path: Path) -> None:
    path = write_board(tmp_path, None)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(LepbenchError, match=message) as caught:
        tabulate_board(path)
    assert "restore the file" in str(caught.value)


def test_an_empty_board_has_no_models(tmp_path: Path) -> None:
    path = write_board(tmp_path, None)
    path.write_text("")
    with pytest.raises(LepbenchError, match="has no models"):
        tabulate_board(path)
