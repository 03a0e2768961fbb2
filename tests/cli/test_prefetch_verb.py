"""`lepbench prefetch` as a person runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lepbench.cli.list import command as list_command
from lepbench.cli.prefetch import command
from lepbench.detectors.weights import PUBLISHED
from lepbench.files import sha256_file


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEPBENCH_CACHE", str(tmp_path / "cache"))


def state(name: str) -> str:
    rows = json.loads(CliRunner().invoke(list_command, ["detectors", "--json"]).stdout)
    return next(row["state"] for row in rows if row["name"] == name)


def test_a_file_is_fetched_named_and_then_listed_as_here(tmp_path: Path) -> None:
    source = tmp_path / "weights.pth"
    source.write_bytes(b"a stand-in")
    assert state("dexined") == "needs weights"
    told = ["dexined", "--from", str(source), "--sha256", sha256_file(source)]
    result = CliRunner().invoke(command, told, catch_exceptions=False)
    assert f"10 bytes, sha256 {sha256_file(source)}" in result.stdout
    assert state("dexined") == "ready"
    again = CliRunner().invoke(command, ["dexined", "--json"], catch_exceptions=False)
    assert json.loads(again.stdout)["sha256"] == sha256_file(source)


def test_help_names_every_checkpoint() -> None:
    said = CliRunner().invoke(command, ["--help"]).output
    assert all(name in said for name in PUBLISHED)
