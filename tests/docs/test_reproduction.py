"""The sets of docs/reproduction.md can be run, and its figures are those of the leaderboards."""

from __future__ import annotations

import csv
import re
import shlex
from pathlib import Path

import pytest
from command import call_command

from lepbench.run_sets.plan import make_plan

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "reproduction.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"```sh\n(lepbench leaderboard show [^`]+)\n```\n\n((?:\|.*\n)+)", TEXT)
"""Commands that print a board, and the table that stands below each."""


def read_board(suite: str, protocol: str) -> dict[str, dict[str, str]]:
    with (ROOT / "leaderboards" / suite / f"{protocol}.csv").open(newline="") as stream:
        return {line["model"]: line for line in csv.DictReader(stream)}


def test_the_sets_can_be_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    models = {
        name: {run.variant.name for run in make_plan(name).runs}
        for name in re.findall(r"^lepbench run (\S+)$", TEXT, re.M)
    }
    assert len(models["examples/contestants.yaml"]) == 12
    assert len(models["examples/questions.yaml"]) >= 10


def test_the_contestants_are_those_of_the_boards() -> None:
    edges = read_board("sketchworld-edges-v1", "lepbench-edges-v1")
    hands = read_board("sketchworld-freehand-v1", "lepbench-freehand-v1")
    rows = re.findall(r"^\| `(mini-\S+)` \| (.*) \|$", TEXT.partition("## The claims")[0], re.M)
    assert {name for name, _ in rows} == edges.keys() == hands.keys()
    for name, cells in rows:
        shown = [float(cell.split()[0]) for cell in cells.split(" | ")[:6]]
        columns = (
            "faithful_f1",
            "edge_f1_1px",
            "mask_iou@sketchworld-segmenter",
            "clip_skill@sketchworld-clip",
        )
        found = [edges[name][column] for column in columns]
        found += [hands[name][column] for column in ("faithful_iou", "stroke_recall_2px")]
        assert shown == pytest.approx([float(cell) for cell in found], abs=6e-4), name


def test_every_suite_of_the_questions_has_a_table() -> None:
    boards = {re.search(r"show (\S+)/", command)[1] for command, _ in SHOWN}  # type: ignore[index]
    assert len(boards) >= 6


@pytest.mark.parametrize(("command", "table"), SHOWN)
def test_a_table_is_what_its_command_prints(
    command: str, table: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert call_command(monkeypatch, *shlex.split(command.replace("\\\n", " "))[1:]) == 0
    assert capsys.readouterr().out.partition("\n\n")[0] == table.rstrip("\n")
