"""Who makes the shards changes nothing: processes, Ray, shares of a job array, kills at any moment."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import chdir, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from filelock import FileLock
from picture_folders import jpeg, photograph, save_every_mode

from lepbench.data.build import build_triplets
from lepbench.data.config import BuildConfig
from lepbench.data.hygiene import Hygiene
from lepbench.data.lock import lock_folder
from lepbench.data.manifest import load_manifest
from lepbench.data.similar import perceptual_hash
from lepbench.engines import ENGINES, InProcess, Processes
from lepbench.engines.ray import RayWorker
from lepbench.errors import LepbenchError
from lepbench.images import encode_png
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


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


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
    """Two machines, as far as Ray can tell."""
    utils = pytest.importorskip("ray.cluster_utils")
    import ray

    made = utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    second = made.add_node(num_cpus=1)
    # Workers have to find the functions of this file.
    here = {"env_vars": {"PYTHONPATH": str(Path(__file__).parent)}}
    ray.init(address=made.address, log_to_driver=False, logging_level="error", runtime_env=here)
    yield made, second
    ray.shutdown()
    made.shutdown()


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


class Elsewhere(InProcess):
    """Works in another folder, as the machines of a cluster do."""

    def run(self, work: Any, job: Any, pieces: Any, tried: Any, terms: Any = None) -> Iterator[Any]:
        for piece in pieces:
            with chdir("/"):
                result = work(job, piece, tried)
            yield piece, result


def laid_out(name: str) -> dict[str, Any]:
    """Settings of a source of two pictures, by relative paths."""
    Path("it").mkdir()
    if name == "coco":
        Path("it/a.jpg").write_bytes(jpeg(photograph()))
        listed = {"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": []}
        Path("captions.json").write_text(
            json.dumps(
                listed
                | {"annotations": [{"id": n, "image_id": 1, "caption": f"words {n}"} for n in range(2)]}
            )
        )
        return {"name": name, "annotations": "captions.json", "images": "it"}
    if name == "table":
        columns = {"image": [jpeg(photograph().rotate(n)) for n in range(2)], "text": ["a", "b"]}
        pq.write_table(pa.table(columns), "it/a.parquet")
    if name == "webdataset":
        with tarfile.open("it/a-1.tar", "w") as archive:
            for member, content in (("1.jpg", jpeg(photograph())), ("1.txt", b"one"), ("2.txt", b"two")):
                header = tarfile.TarInfo(member)
                header.size = len(content)
                archive.addfile(header, io.BytesIO(content))
        return {"name": name, "path": "it/a-*.tar"}
    if name == "folder":
        letters(Path("it/photos"), "ag")
    return {"name": name, "path": "it"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["folder", "coco", "table", "webdataset"])
def test_relative_paths_hold_wherever_the_work_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    config = BuildConfig.model_validate({"source": laid_out(name), "size": 32, "shard_rows": 1})
    build_triplets(config, Path("here"))
    build_triplets(config, Path("there"), engine=Elsewhere())
    assert "missing file" not in load_manifest(Path("here")).rejected
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


def test_weights_are_found_wherever_the_work_is_done_and_names_of_the_hub_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    detector = {"name": "hed", "weights": "some/hed.safetensors"}
    source = {"name": "table", "path": "owner/name"}
    config = BuildConfig.model_validate({"source": source, "detector": detector}).anchored()
    assert config.detector.model_dump()["weights"] == tmp_path / "some" / "hed.safetensors"
    assert config.source.model_dump()["path"] == "owner/name"


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


def test_a_failed_entry_is_tried_again_and_the_set_is_as_if_it_had_never_failed(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    save_every_mode(photos)
    content = (photos / "rgb.jpg").read_bytes()
    config = BuildConfig.model_validate(
        {"source": {"name": "folder", "path": photos}, "size": 32, "shard_rows": 4}
    )
    build_triplets(config, tmp_path / "whole")
    (photos / "rgb.jpg").write_bytes(b"")
    first = build_triplets(config, tmp_path / "out").manifest
    assert first.rejected == {"empty file": 1}
    (photos / "rgb.jpg").write_bytes(content)
    with pytest.raises(LepbenchError, match=r"source\.fingerprint"):
        build_triplets(config, tmp_path / "out")
    build_triplets(config, tmp_path / "out", retry=True)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert load_manifest(tmp_path / "out").rejected == {}


def letters(folder: Path, names: str) -> BuildConfig:
    """A build of a photograph for each letter, of which g is empty as yet."""
    folder.mkdir()
    for number, name in enumerate(names):
        turned = photograph().rotate(10 * number)
        (folder / f"{name}.jpg").write_bytes(b"" if name == "g" else jpeg(turned))
        (folder / f"{name}.txt").write_text(name)
    return BuildConfig.model_validate(
        {"source": {"name": "folder", "path": folder}, "size": 32, "shard_rows": 2}
    )


def move(folder: Path, old: str, new: str) -> None:
    for suffix in (".jpg", ".txt"):
        (folder / f"{old}{suffix}").rename(folder / f"{new}{suffix}")


def fail_once(config: BuildConfig, folder: Path, out: Path) -> None:
    """Build, then mend what failed."""
    assert build_triplets(config, out).manifest.rejected == {"empty file": 1}
    (folder / "g.jpg").write_bytes(jpeg(photograph().rotate(77)))


Change = Callable[[Path], object]
CHANGES: dict[str, Change] = {
    "mended": lambda folder: None,
    "renamed": lambda folder: move(folder, "b", "zz"),
    "other words": lambda folder: (folder / "c.txt").write_text("other words"),
    "other pixels of one size": lambda folder: (folder / "a.jpg").write_bytes(
        (folder / "a.jpg").read_bytes()[:-40] + b"\0" * 38 + b"\xff\xd9"
    ),
    "gone": lambda folder: (folder / "h.jpg").write_bytes(b""),
}


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_else_changed_meanwhile_a_second_try_leaves_what_a_first_would(
    tmp_path: Path, change: Change
) -> None:
    photos = tmp_path / "photos"
    config = letters(photos, "abcdefgh")
    fail_once(config, photos, tmp_path / "out")
    change(photos)
    build_triplets(config, tmp_path / "out", retry=True)
    build_triplets(config, tmp_path / "fresh")
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def test_a_second_try_makes_those_shards_alone_whose_entries_changed(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    config = letters(photos, "abcdefgh")
    fail_once(config, photos, tmp_path / "out")
    (photos / "c.txt").write_text("other words")
    before = {path.name[6:11]: path.stat().st_mtime_ns for path in (tmp_path / "out" / "data").iterdir()}
    build_triplets(config, tmp_path / "out", retry=True)
    after = {path.name[6:11]: path.stat().st_mtime_ns for path in (tmp_path / "out" / "data").iterdir()}
    assert {name for name in after if after[name] == before[name]} == {"00000", "00002"}


class StoppedError(Exception):
    """Stands for whatever may end a run."""


@pytest.mark.slow
@pytest.mark.parametrize("again", [True, False])
@pytest.mark.parametrize("stop", [0, 4])
def test_a_second_try_may_be_stopped_at_any_shard(tmp_path: Path, stop: int, again: bool) -> None:
    photos = tmp_path / "photos"
    config = letters(photos, "abcdefgh")
    fail_once(config, photos, tmp_path / "out")
    move(photos, "b", "zz")

    def progress(stage: str, done: int, total: int) -> None:
        if done >= stop:
            raise StoppedError

    with pytest.raises(StoppedError):
        build_triplets(config, tmp_path / "out", progress, retry=True)
    assert load_manifest(tmp_path / "out").sha256 is None
    build_triplets(config, tmp_path / "out", retry=again)
    build_triplets(config, tmp_path / "fresh")
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def test_a_second_try_takes_no_other_setting(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    config = letters(photos, "fgh")
    fail_once(config, photos, tmp_path / "out")
    other = config.model_copy(update={"hygiene": Hygiene(min_edges=0.01)})
    with pytest.raises(LepbenchError, match=r"another recipe: hygiene\.min_edges is 0\.0001 there"):
        build_triplets(other, tmp_path / "out", retry=True)


def test_a_second_try_with_nothing_to_try_leaves_a_finished_folder_as_it_is(tmp_path: Path) -> None:
    config = letters(tmp_path / "photos", "abc")
    build_triplets(config, tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("out/*/*")}
    build_triplets(config, tmp_path / "out", retry=True)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("out/*/*")} == before


def chain(folder: Path) -> BuildConfig:
    """A build of a, b and c, thrice each, of which b looks like a and like c, but not a like c."""
    frames = [np.asarray(photograph().rotate(step / 4), np.uint8) for step in range(160)]
    looks = [perceptual_hash(frame) for frame in frames]

    def alike(one: int, other: int) -> bool:
        return (looks[one] ^ looks[other]).bit_count() <= 4

    middle = next(n for n in range(1, 160) if not alike(0, n) and alike(0, n - 1) and alike(n - 1, n))
    folder.mkdir()
    for name, place in zip("abc", (0, middle - 1, middle), strict=True):
        for again in ("", "-again", "-twice"):  # a.png is the last of its kind
            (folder / f"{name}{again}.png").write_bytes(encode_png(frames[place]))
            (folder / f"{name}{again}.txt").write_text(name)
    return BuildConfig.model_validate(
        {"source": {"name": "folder", "path": folder}, "size": 32, "shard_rows": 1}
    )


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "stop"), [("empty", None), ("closed", 7)])
@pytest.mark.parametrize(("kind", "failed"), [("exact", "a-again.png"), ("near", "b.png")])
def test_rows_come_back_when_what_they_were_left_out_for_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failed: str, fault: str, kind: str, stop: int | None
) -> None:
    photos = tmp_path / "photos"
    config = chain(photos).model_copy(update={"hygiene": Hygiene(duplicates=kind)})
    content = (photos / failed).read_bytes()
    with monkeypatch.context() as broken:
        if fault == "empty":
            (photos / failed).write_bytes(b"")
        else:
            broken.setattr(Path, "read_bytes", closed_for(failed))
        assert build_triplets(config, tmp_path / "out").manifest.written == (3 if kind == "exact" else 2)
    (photos / failed).write_bytes(content)

    def progress(stage: str, done: int, total: int) -> None:
        if done == stop:
            raise StoppedError

    with suppress(StoppedError):
        build_triplets(config, tmp_path / "out", progress, retry=True)
    build_triplets(config, tmp_path / "out")
    build_triplets(config, tmp_path / "fresh")
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def closed_for(name: str) -> Callable[[Path], bytes]:
    """`Path.read_bytes` while one file may not be read, though its size is known."""
    plain = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path.name == name:
            raise PermissionError(13, "Permission denied")
        return plain(path)

    return read_bytes
