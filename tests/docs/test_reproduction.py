"""The sets of docs/reproduction.md can be run, and its figures are those of the leaderboards."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from lepbench.run_sets.plan import make_plan

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "reproduction.md").read_text(encoding="utf-8")


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
    assert models["examples/abstraction.yaml"] == {"mini-lep-fast", "mini-controlnet", "mini-t2i-adapter"}


def test_the_table_is_that_of_the_boards() -> None:
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
