"""Who draws changes nothing: processes, Ray, shares of a job array, workers that die or hang."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest
from filelock import FileLock
from ray_cluster import two_machines

from lepbench.engines import ENGINES, Processes
from lepbench.errors import LepbenchError
from lepbench.evaluation.merge import merge_shares
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import select_protocol
from lepbench.evaluation.record import Record
from lepbench.evaluation.run import evaluate, evaluate_share
from lepbench.judges import Judges
from lepbench.methods import ModelConfig
from lepbench.run_log import LOG
from lepbench.shares import Share
from lepbench.suites import Suite

Run = Callable[..., Record]


@pytest.fixture(scope="module")
def protocol(tiny_suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Protocol:
    """Ten items are four batches; one judge, whose features and captions are measured."""
    path = tmp_path_factory.mktemp("terms") / "small.yaml"
    path.write_text(
        "name: small\nmeasures: [edges, captions, distances]\njudges: [sketchworld-clip]\nreference: items\n"
    )
    return select_protocol(tiny_suite, path).model_copy(update={"batch_size": 3})


@pytest.fixture(scope="module")
def run_in(
    tiny_model: ModelConfig, tiny_suite: Suite, tiny_judges: Judges, protocol: Protocol
) -> Callable[[Path], Run]:
    """From a folder to what makes runs in it, each of a name and with a cache of its own."""
    clip = {"sketchworld-clip": tiny_judges["sketchworld-clip"]}
    judges = Judges(clip, weights={"sketchworld-clip/model.safetensors": "0" * 64})

    def place(folder: Path) -> Run:
        def run(name: str, how: Any = evaluate, *given: Any, **means: Any) -> Any:
            model = means.pop("model", tiny_model)
            settings = {"device": "cpu", "protocol": protocol, "judges": judges, **means}
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("LEPBENCH_CACHE", str(folder / "caches" / name))
                return how(model, tiny_suite, folder / name, *given, **settings)

        return run

    return place


@pytest.fixture
def run(run_in: Callable[[Path], Run], tmp_path: Path) -> Run:
    """Runs in the folder of a test."""
    return run_in(tmp_path)


@pytest.fixture(scope="module")
def whole(run_in: Callable[[Path], Run], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one process leaves behind without being stopped."""
    folder = tmp_path_factory.mktemp("whole")
    run_in(folder)("whole")
    return contents(folder / "whole")


def contents(folder: Path) -> dict[str, Any]:
    """Every file of a run, without what tells times."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != LOG)
    found: dict[str, Any] = {str(path.relative_to(folder)): path.read_bytes() for path in files}
    record = json.loads(found["record.json"])
    for key in ("timing", "peak_memory_bytes"):
        del record[key]
    for cost in record["cost"].values():
        del cost["seconds"]
    return found | {"record.json": record}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with two_machines() as machines:
        yield machines


@pytest.mark.slow
def test_two_processes_one_of_which_is_killed_leave_the_same_bytes(
    run: Run, whole: dict[str, Any], tmp_path: Path
) -> None:
    killed: list[int] = []

    def kill(stage: str, done: int, total: int) -> None:
        if stage == "model" and done and not killed:
            workers = [p for p in psutil.Process().children(recursive=True) if is_worker(p)]
            killed.append(workers[0].pid)
            os.kill(workers[0].pid, signal.SIGKILL)

    run("apart", engine=Processes(2), progress=kill)
    assert killed
    assert contents(tmp_path / "apart") == whole


def is_worker(process: psutil.Process) -> bool:
    """Whether a process is no server of others."""
    parents = process.parents()
    return not process.children() and len(parents) > 1 and parents[0].pid != os.getpid()


@pytest.mark.slow
def test_ray_loses_a_machine_and_no_byte(
    run: Run, whole: dict[str, Any], tmp_path: Path, cluster: Any
) -> None:
    made, second = cluster
    lost: list[str] = []

    def remove(stage: str, done: int, total: int) -> None:
        if stage == "model" and done and not lost:
            lost.append(stage)
            made.remove_node(second, allow_graceful=False)

    run("ray", engine=ENGINES.get("ray")(2), progress=remove)
    assert lost
    assert contents(tmp_path / "ray") == whole


@pytest.mark.slow
def test_shares_merge_into_the_same_bytes_and_nothing_else_merges(
    run: Run, whole: dict[str, Any], tmp_path: Path, tiny_model: ModelConfig
) -> None:
    for number in (3, 1, 2):
        run(f"part-{number}", evaluate_share, Share(number, 3))
    parts = [tmp_path / f"part-{number}" for number in (1, 2, 3)]
    merge_shares(parts, tmp_path / "merged")
    assert contents(tmp_path / "merged") == whole

    for given, said in [
        (parts[:2], "shards are missing: 3/3"),
        ([*parts, parts[0]], "shard 1/3 comes twice"),
        ([tmp_path / "merged"], "holds no shard"),
    ]:
        with pytest.raises(LepbenchError, match=said):
            merge_shares(given, tmp_path / "other")
    with pytest.raises(LepbenchError, match="holds shard 1/3 of a run"):
        run("part-1")
    other = tiny_model.model_copy(update={"name": "other"})
    run("part-of-another", evaluate_share, Share(2, 3), model=other)
    with pytest.raises(LepbenchError, match=r"of different runs \(differ in model\)"):
        merge_shares([parts[0], tmp_path / "part-of-another", parts[2]], tmp_path / "other")
    next((parts[1] / "samples" / "model").iterdir()).unlink()
    with pytest.raises(LepbenchError, match="lacks pictures of batch model-00001"):
        merge_shares(parts, tmp_path / "other")


def test_two_writers_of_a_folder_are_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with (
        FileLock(tmp_path / "out" / ".lock"),
        pytest.raises(LepbenchError, match="another process is writing"),
    ):
        run("out")


@pytest.mark.slow
def test_a_batch_that_hangs_fails_and_is_drawn_again(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "hanging_method.py"
    script.write_text(HANGING)
    model = ModelConfig.model_validate(
        {"name": "hanging", "method": {"name": "python", "target": f"{script}:draw"}}
    )
    (tmp_path / "hang").touch()
    monkeypatch.setenv("LEPBENCH_TRUST_CODE", "1")
    record = run("out", model=model, engine=Processes(1, timeout=10.0))
    assert record.failed["model"] == record.failed["wrong_sketch"] == 1
    frame = pq.read_table(tmp_path / "out" / "samples.parquet").to_pandas()
    assert set(frame["reason"].dropna()) == {
        "it took longer than 10 s",
        "RuntimeError: the picture that it is made of failed",
    }
    (tmp_path / "hang").unlink()
    repaired = run("out", model=model, engine=Processes(1, timeout=60.0))
    assert not any(repaired.failed.values())


HANGING = '''
import time
from pathlib import Path

import torch


def draw(prompts, sketches, seeds, size):
    """Black pictures; the last batch of three, which has one, waits while a file is there."""
    marked = Path(__file__).with_name("hang")
    while marked.exists() and len(prompts) == 1:
        time.sleep(0.1)
    return torch.zeros(len(prompts), 3, size, size)
'''
