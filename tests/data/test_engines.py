"""Who makes the shards changes nothing: processes, Ray, shares of a job array, kills at any moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import psutil
import pytest
import torch
import yaml
from filelock import FileLock
from picture_folders import save_every_mode
from ray_cluster import two_machines
from small_builds import contents, letters

from lepbench.data.build import build_triplets
from lepbench.data.config import BuildConfig
from lepbench.data.lock import lock_folder
from lepbench.engines import ENGINES, InProcess, Processes
from lepbench.engines.ray import RayWorker
from lepbench.errors import LepbenchError
from lepbench.shares import Share, parse_share

COMMAND = [sys.executable, "-m", "lepbench", "build-data"]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A YAML of a build of 52 photographs of every kind, some of which come twice, and of some bad files."""
    folder = tmp_path_factory.mktemp("corpus")
    for number in range(4):
        photos = folder / "photos" / str(number)
        photos.mkdir(parents=True)
        save_every_mode(photos)
        (photos / "bad.jpg").write_bytes(b"no picture")
        (photos / "bad.txt").write_text("no caption helps it")
        (photos / "rgb.txt").write_text(f"words {number}")
    config = {
        "source": {"name": "folder", "path": str(folder / "photos")},
        "size": 48,
        "shard_rows": 5,
        "hygiene": {"duplicates": "near"},
    }
    (folder / "build.yaml").write_text(yaml.safe_dump(config))
    return folder / "build.yaml"


@pytest.fixture(scope="module")
def config(recipe: Path) -> BuildConfig:
    return BuildConfig.model_validate(yaml.safe_load(recipe.read_text()))


@pytest.fixture(scope="module")
def whole(config: BuildConfig, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What one process leaves behind without being stopped."""
    out = tmp_path_factory.mktemp("whole") / "out"
    build_triplets(config, out)
    return contents(out)


def test_the_corpus_has_something_of_everything(whole: dict[str, bytes]) -> None:
    for reason in (b"nearly a duplicate", b"duplicate of another row", b"cannot be decoded"):
        assert whole["rejected.jsonl"].count(reason) >= 4


@pytest.mark.slow
def test_processes_leave_the_same_bytes(config: BuildConfig, whole: dict[str, bytes], tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    build_triplets(
        config, tmp_path / "out", lambda stage, done, total: told.append((done, total)), Processes(2)
    )
    assert contents(tmp_path / "out") == whole
    assert told[0] == (0, 56)
    assert told[-1] == (56, 56)
    assert sorted(told) == told


def test_shares_in_any_order_leave_the_same_bytes(
    config: BuildConfig, whole: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for number in (3, 1, 2):
        report = build_triplets(config, out, share=Share(number, 3))
        assert report.manifest.sha256 is None
        assert report.made == report.planned * (1 + [3, 1, 2].index(number)) // 3
    build_triplets(config, out)
    assert contents(out) == whole


def test_a_share_keeps_out_a_whole_build_and_its_own_kind_but_no_other_share(tmp_path: Path) -> None:
    with lock_folder(tmp_path, Share(1, 3)):
        with lock_folder(tmp_path, Share(2, 3)):
            pass
        for share in (None, Share(1, 3)):
            with pytest.raises(LepbenchError, match="another build"), lock_folder(tmp_path, share):
                pass
    with lock_folder(tmp_path):
        assert FileLock(tmp_path / ".lock").lock_file
        with pytest.raises(LepbenchError, match="another build"), lock_folder(tmp_path):
            pass


def test_shares_that_begin_together_do_not_take_each_other_for_strangers(
    config: BuildConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One looks for the manifest, and before it looks for other things the other has begun."""
    out, plain, others = tmp_path / "out", Path.exists, ThreadPoolExecutor(1)
    begun: list[Future[Any]] = []

    def exists(path: Path) -> bool:
        there = plain(path)
        if path == out / "manifest.json" and not begun:
            begun.append(others.submit(build_triplets, config, out, share=Share(2, 2)))
            wait(begun, timeout=1)
        return there

    monkeypatch.setattr(Path, "exists", exists)
    build_triplets(config, out, share=Share(1, 2))
    assert begun[0].result().made


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "-1/3", "1/3/5"])
def test_what_is_no_share_is_one_line(text: str) -> None:
    with pytest.raises(LepbenchError, match="is no share"):
        parse_share(text)


def started(recipe: Path, out: Path, *options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*COMMAND, str(recipe), "--out", str(out), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def wait_for(there: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_with_the_same_bytes(
    config: BuildConfig, recipe: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    """Moments are picked after the work has begun; `benchmarks/build_kills.py` does it twenty times."""
    out, moments = tmp_path / "out", random.Random(0)
    for _ in range(3):
        run = started(recipe, out)
        wait_for(lambda: (out / "manifest.json").exists())
        time.sleep(moments.uniform(0, 0.3))
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    build_triplets(config, out)
    assert contents(out) == whole


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_workers_die_with_their_parent(recipe: Path, tmp_path: Path, how: signal.Signals) -> None:
    run = started(recipe, tmp_path / "out", "--workers", "2")
    wait_for(lambda: list((tmp_path / "out" / "shards").glob("*.json")))
    family = psutil.Process(run.pid).children(recursive=True)
    assert family
    run.send_signal(how)
    run.wait(20)
    wait_for(lambda: not any(alive(process) for process in family), 20)


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def die(job: Any, piece: Any, tried: Any) -> None:
    os._exit(9)


def fail(job: Any, piece: Any, tried: Any) -> None:
    raise LepbenchError("the disk is on fire", "call someone")


class Part(NamedTuple):
    number: int
    entries: int = 1


@pytest.mark.parametrize(
    ("work", "message"), [(die, "a worker process"), (fail, "the disk is on fire; call")]
)
def test_a_failing_worker_is_one_line(work: Any, message: str) -> None:
    with pytest.raises(LepbenchError, match=message):
        list(Processes(2).run(work, None, [Part(1), Part(2)], lambda more: None))


class Square:
    """Work that is no function of a build: engines know nothing of shards."""

    def __call__(self, job: int, piece: Part, tried: Any) -> int:
        return job + piece.number**2


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with two_machines(*Path(__file__).parents[:2]) as machines:
        yield machines


@pytest.mark.slow
def test_ray_loses_a_machine_and_no_byte(
    config: BuildConfig, whole: dict[str, bytes], tmp_path: Path, cluster: Any
) -> None:
    made, second = cluster
    lost: list[int] = []

    def progress(stage: str, done: int, total: int) -> None:
        if done > 10 and not lost:
            lost.append(done)
            made.remove_node(second, allow_graceful=False)

    build_triplets(config, tmp_path / "out", progress, ENGINES.get("ray")(2))
    assert lost
    assert contents(tmp_path / "out") == whole


@pytest.mark.slow
def test_ray_tells_of_a_failing_piece_in_one_line(cluster: Any) -> None:
    with pytest.raises(LepbenchError, match="the disk is on fire; call someone"):
        list(ENGINES.get("ray")(1).run(fail, None, [Part(1)], lambda more: None))


@pytest.mark.slow
@pytest.mark.parametrize("name", list(ENGINES))
def test_every_engine_does_every_piece_once(name: str, cluster: Any) -> None:
    told: list[int] = []
    found = dict(ENGINES.get(name)(2).run(Square(), 5, [Part(n) for n in range(20)], told.append))
    assert found == {Part(n): 5 + n * n for n in range(20)}
    assert sum(told) in (0, 20)


def threads(job: Any, piece: Part, tried: Any) -> tuple[int, int]:
    return torch.get_num_threads(), cv2.getNumThreads()


@pytest.mark.slow
@pytest.mark.parametrize("name", list(ENGINES))
def test_every_engine_works_in_one_thread_and_leaves_the_others_be(name: str, cluster: Any) -> None:
    before = threads(None, Part(0), None)
    torch.set_num_threads(2)
    cv2.setNumThreads(2)
    try:
        for _, found in ENGINES.get(name)().run(threads, None, [Part(1), Part(2)], lambda more: None):
            assert found == (1, 1)
            assert threads(None, Part(0), None) == (2, 2)
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


@pytest.mark.slow
def test_ray_writes_where_the_command_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    letters(Path("photos"), "abc")
    config = BuildConfig.model_validate({"source": {"name": "folder", "path": "photos"}, "size": 32})
    assert build_triplets(config, Path("out"), engine=ENGINES.get("ray")()).manifest.written == 3
    assert list((tmp_path / "out" / "data").iterdir())


def test_a_shard_that_another_machine_keeps_to_itself_is_one_line(
    config: BuildConfig, tmp_path: Path
) -> None:
    class Apart(InProcess):
        def run(self, work: Any, job: Any, pieces: Any, tried: Any, terms: Any = None) -> Iterator[Any]:
            there = replace(job, out=tmp_path / "there")
            return ((piece, work(there, piece, tried)) for piece in pieces)

    with pytest.raises(LepbenchError, match="was made and is not here"):
        build_triplets(config, tmp_path / "out", engine=Apart())


@pytest.mark.slow
def test_ray_takes_all_processors_of_the_cluster_unless_told(
    cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hired: list[float] = []

    class Counted(RayWorker):
        def __init__(self, ray: Any, shared: Any, gpus: float) -> None:
            hired.append(gpus)
            super().__init__(ray, shared, gpus)

    import ray

    monkeypatch.setattr("lepbench.engines.ray.RayWorker", Counted)
    assert len(list(ENGINES.get("ray")().run(Square(), 5, [Part(n) for n in range(9)], print))) == 9
    assert hired == [0.0] * int(ray.cluster_resources()["CPU"])
