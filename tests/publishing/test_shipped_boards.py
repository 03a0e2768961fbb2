"""The leaderboards of the repository are under suites and protocols that ship, or that the examples make."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from lepbench.evaluation.protocols import select_protocol
from lepbench.run_sets.plan import read_set
from lepbench.run_sets.suite_config import SuiteEntry
from lepbench.suite_sources import write_suite
from lepbench.suites import Suite, list_suites, load_suite

ROOT = Path(__file__).parents[2]
BOARDS = sorted((ROOT / "leaderboards").glob("*/*.csv"))
MADE = {
    entry.name: entry
    for entry in read_set(ROOT / "examples" / "questions.yaml").suites
    if isinstance(entry, SuiteEntry)
}


def find_suite(name: str, place: Path) -> Suite:
    """The suite that ships, or that the questions make."""
    if name in list_suites():
        return load_suite(name)
    write_suite(MADE[name].find_source(), place, name=name)
    return Suite(place)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.stem)
def test_lines_have_the_hashes_of_suite_and_protocol(board: Path, tmp_path: Path) -> None:
    suite = find_suite(board.parent.name, tmp_path / "suite")
    protocol = select_protocol(suite)
    assert protocol.name == board.stem
    with board.open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert len(lines) >= 10
    assert {line["suite_sha256"] for line in lines} == {suite.sha256}
    assert {line["protocol_sha256"] for line in lines} == {protocol.sha256}
