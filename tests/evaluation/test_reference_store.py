"""Cached conditions are listed and removed, those first that were not used for longest."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from command import call_command

from lepbench.errors import LepbenchError
from lepbench.evaluation.reference_store import LIMIT, limit_store, list_kept


@pytest.fixture
def kept(own_cache: Path) -> Path:
    """Three conditions of 1 kB each, used at 1, 2 and 3 s."""
    store = own_cache / "references"
    for used in (2, 1, 3):
        folder = store / f"key-{used}"
        folder.mkdir(parents=True)
        (folder / "table.parquet").write_bytes(b"t" * 400)
        (folder / "picture.png").write_bytes(b"p" * 600)
        os.utime(folder / "table.parquet", (used, used))
    return store


def test_what_was_not_used_for_longest_goes_first(kept: Path) -> None:
    assert [(one.key, one.bytes) for one in list_kept()] == [(f"key-{n}", 1000) for n in (3, 2, 1)]
    assert [one.key for one in limit_store(2500)] == ["key-1"]
    assert limit_store(2500) == []
    assert [one.key for one in limit_store(0, kept="key-2")] == ["key-3"]
    assert {path.name for path in kept.iterdir()} == {"key-2"}


def test_a_limit_that_is_no_number_is_one_line(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LIMIT, "much")
    with pytest.raises(LepbenchError, match="no number of GB"):
        limit_store()


def test_the_command_lists_and_clears(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call_command(monkeypatch, "cache", "list", "--json") == 0
    assert [one["key"] for one in json.loads(capsys.readouterr().out)] == ["key-3", "key-2", "key-1"]
    assert call_command(monkeypatch, "cache", "list") == 0
    assert capsys.readouterr().err.startswith("3 in ")
    assert call_command(monkeypatch, "cache", "clear", "--keep", "0.000002") == 0
    assert capsys.readouterr().out == "removed 1: 1.0 kB\n"
    assert call_command(monkeypatch, "cache", "clear") == 0
    assert list_kept() == []
