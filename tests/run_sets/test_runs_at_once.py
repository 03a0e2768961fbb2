"""A set whose runs other processes do: the same tables, faults listed, one writer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from ray_cluster import two_machines

import lepbench
from lepbench.errors import LepbenchError
from lepbench.run_sets.outcome import SetOutcome

Make = Callable[..., dict[str, Any]]


@pytest.mark.slow
def test_processes_and_ray_make_the_same_tables_and_list_what_fails(
    tiny_set: Make, tiny_entry: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray loses one of its two machines after the first run."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    elsewhere = {"name": "elsewhere", "method": {"name": "precomputed", "folder": str(pictures)}}
    models = (tiny_entry("a"), elsewhere, tiny_entry("b", sampler={"steps": 1}))

    def run(out: str, **options: Any) -> SetOutcome:
        monkeypatch.setenv("LEPBENCH_CACHE", str(tmp_path / f"cache-{out}"))
        return lepbench.run_set(tiny_set(*models, out=str(tmp_path / out)), **{"progress": False, **options})

    here = run("here")
    assert len(here.failed) == 1
    require_same(run("processes", workers=2), here)
    with two_machines() as (cluster, second):
        lost: list[str] = []

        def remove(stage: str, done: int, total: int) -> None:
            if not lost:
                lost.append(stage)
                cluster.remove_node(second, allow_graceful=False)

        require_same(run("ray", engine="ray", workers=2, progress=remove), here)
    assert lost


def require_same(apart: SetOutcome, here: SetOutcome) -> None:
    """Samples and figures are the same."""
    assert apart.failed == here.failed
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
