"""A set whose runs other processes do: the same tables, faults listed, one writer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

import lepbench
from lepbench.errors import LepbenchError

Make = Callable[..., dict[str, Any]]


@pytest.mark.slow
def test_two_workers_make_the_same_tables_and_list_what_fails(
    tiny_set: Make, tiny_entry: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    elsewhere = {"name": "elsewhere", "method": {"name": "precomputed", "folder": str(pictures)}}
    models = (tiny_entry("a"), elsewhere, tiny_entry("b", sampler={"steps": 1}))
    monkeypatch.setenv("LEPBENCH_CACHE", str(tmp_path / "cache-apart"))
    apart = lepbench.run_set(tiny_set(*models, out=str(tmp_path / "apart")), workers=2, progress=False)
    monkeypatch.setenv("LEPBENCH_CACHE", str(tmp_path / "cache-here"))
    here = lepbench.run_set(tiny_set(*models, out=str(tmp_path / "here")), progress=False)
    assert apart.failed == here.failed
    assert len(apart.failed) == 1
    assert list(apart.records) == list(here.records)
    for name in here.records:
        one, other = (folder / name / "samples.parquet" for folder in (apart.folder, here.folder))
        assert one.read_bytes() == other.read_bytes()
    timed = ["seconds"]
    assert apart.to_frame().drop(columns=timed).equals(here.to_frame().drop(columns=timed))


def test_two_writers_of_a_set_are_refused(tiny_set: Make, tiny_entry: Make, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    with (
        FileLock(tmp_path / "set" / ".lock"),
        pytest.raises(LepbenchError, match="another process is writing"),
    ):
        lepbench.run_set(tiny_set(tiny_entry("a")), progress=False)
