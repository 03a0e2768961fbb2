"""The build: what it leaves behind, resuming after a kill, and refusing what is not its own."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from datasets import load_dataset
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_folders import PHOTOGRAPH_COUNT, save_every_mode
from PIL import Image

from lepbench.data.build import build_triplets
from lepbench.data.config import BuildConfig
from lepbench.data.corpus import Corpus, Entry
from lepbench.data.manifest import Manifest, load_manifest
from lepbench.data.read import Triplets
from lepbench.data.sources import Folder
from lepbench.errors import LepbenchError

BROKEN = {
    "empty.jpg": ("empty file", b""),
    "text.jpg": ("picture cannot be decoded", b"I am a text"),
    "silent.png": ("no caption", None),
    "latin.png": ("caption is not UTF-8", None),
    "blank.png": ("empty caption", None),
}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs in every mode and files broken in every way, all with sidecars."""
    folder = tmp_path_factory.mktemp("corpus") / "photos"
    folder.mkdir()
    save_every_mode(folder)
    whole = (folder / "rgb.jpg").read_bytes()
    for name, (_, content) in BROKEN.items():
        (folder / name).write_bytes(whole if content is None else content)
        (folder / name).with_suffix(".txt").write_text("a caption")
    (folder / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "truncated.txt").write_text("a caption")
    (folder / "silent.txt").unlink()
    (folder / "latin.txt").write_bytes(b"caf\xe9")
    (folder / "blank.txt").write_text(" \n")
    return folder


def configured(photos: Path, **settings: Any) -> BuildConfig:
    defaults: dict[str, Any] = {"source": {"name": "folder", "path": photos}, "size": 32, "shard_rows": 4}
    return BuildConfig.model_validate(defaults | settings)


@pytest.fixture(scope="module")
def built(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "triplets"
    build_triplets(configured(photos), out)
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_every_entry_is_either_a_row_or_a_named_reject(photos: Path, built: Path) -> None:
    manifest = load_manifest(built)
    rejects = [json.loads(line) for line in (built / "rejected.jsonl").read_text().splitlines()]
    expected = {name: reason for name, (reason, _) in BROKEN.items()}
    expected["truncated.jpg"] = "picture cannot be decoded"
    assert {reject["id"]: reject["reason"] for reject in rejects} == expected
    assert manifest.written == PHOTOGRAPH_COUNT
    assert manifest.written + len(rejects) == manifest.recipe.limit
    assert manifest.rejected["picture cannot be decoded"] == 2
    assert manifest.flags["enlarged"] == 1  # small.png


def test_manifest_hashes_are_those_of_the_files(built: Path) -> None:
    manifest = load_manifest(built)
    told = "".join(f"{shard.sha256}\n" for shard in manifest.shards)
    assert manifest.sha256 == hashlib.sha256(told.encode()).hexdigest()
    for shard in manifest.shards:
        assert shard.sha256 == hashlib.sha256((built / shard.file).read_bytes()).hexdigest()
        assert shard.rows == pq.read_metadata(built / shard.file).num_rows
    assert sorted(p.name for p in (built / "data").iterdir()) == [Path(s.file).name for s in manifest.shards]


def test_datasets_opens_the_folder_as_the_trainers_expect_it(built: Path, tmp_path: Path) -> None:
    rows = load_dataset(str(built), cache_dir=str(tmp_path))
    assert set(rows) == {"train"}
    assert len(rows["train"]) == PHOTOGRAPH_COUNT
    for row in rows["train"]:
        assert row["image"].size == row["conditioning_image"].size == (32, 32)
        assert row["image"].mode == "RGB"
        assert row["conditioning_image"].convert("RGB").getextrema()[0] == (0, 255)
        assert row["text"] == f"a photograph called {Path(row['id']).stem}"
        assert row["detector"] == "canny@1(low=0.1,high=0.2)"
        assert (row["source"], row["licence"]) == ("folder:photos", "unknown")


def test_reader_and_datasets_agree(built: Path, tmp_path: Path) -> None:
    rows = load_dataset(str(built), split="train", cache_dir=str(tmp_path))
    triplets = Triplets(built)
    assert triplets.identity == load_manifest(built).sha256
    for row, triplet in zip(rows, triplets, strict=True):
        assert (triplet.id, triplet.text) == (row["id"], row["text"])
        assert (triplet.image == np.array(row["image"])).all()
        assert (triplet.edges == np.array(row["conditioning_image"])).all()


def test_card_counts_what_is_there_and_hides_nothing(built: Path) -> None:
    card = (built / "README.md").read_text()
    header = yaml.safe_load(card.split("---\n")[1])
    assert header["configs"][0]["data_files"] == [{"split": "train", "path": "data/*.parquet"}]
    assert "| caption is not UTF-8 | 1 |" in card
    assert f"| rows | {PHOTOGRAPH_COUNT} |" in card
    assert "| rows whose original occurs more than once | 0 |" in card
    with Image.open(built / "contact_sheet.png") as sheet:
        assert min(sheet.size) > 400


def test_no_machine_path_enters_the_output(built: Path, photos: Path) -> None:
    place = str(photos.parent).encode()
    assert not [name for name, content in contents(built).items() if place in content]


def test_a_second_build_elsewhere_is_the_same_to_the_byte(photos: Path, built: Path, tmp_path: Path) -> None:
    build_triplets(configured(photos), tmp_path / "again")
    assert contents(tmp_path / "again") == contents(built)


class StoppedError(Exception):
    """Stands for whatever may end a run."""


def build_until(entries: int, config: BuildConfig, out: Path) -> None:
    """Build, and stop dead once more than so many entries are done."""

    def progress(stage: str, done: int, total: int) -> None:
        if done > entries:
            raise StoppedError

    with pytest.raises(StoppedError):
        build_triplets(config, out, progress)


@pytest.mark.slow
@settings(max_examples=4, deadline=None)
@given(stops=st.lists(st.integers(0, 18), min_size=1, max_size=3))
def test_however_often_it_stops_the_result_is_the_same(
    photos: Path, built: Path, tmp_path_factory: pytest.TempPathFactory, stops: list[int]
) -> None:
    out = tmp_path_factory.mktemp("stopped") / "triplets"
    for stop in sorted(stops):
        build_until(stop, configured(photos), out)
        with pytest.raises(LepbenchError, match="unfinished"):
            Triplets(out)
        assert len(list(out.glob("shards/*.json"))) == stop // 4
    build_triplets(configured(photos), out)
    assert contents(out) == contents(built)


KILLED = """
import os, sys, signal
from pathlib import Path
from lepbench.config import load_config
from lepbench.data.build import build_triplets
from lepbench.data.config import BuildConfig
def progress(stage, done, total):
    if done == 12:
        os.kill(os.getpid(), signal.SIGKILL)
build_triplets(load_config(Path(sys.argv[1]), BuildConfig), Path(sys.argv[2]), progress)
"""


@pytest.mark.slow
def test_a_killed_process_loses_one_shard_and_blocks_nobody(
    photos: Path, built: Path, tmp_path: Path
) -> None:
    recipe = {"source": {"name": "folder", "path": str(photos)}, "size": 32, "shard_rows": 4}
    (tmp_path / "build.yaml").write_text(yaml.safe_dump(recipe))
    out = tmp_path / "out"
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "build.yaml", out], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(list(out.glob("shards/*.json"))) == 2
    assert list(out.glob("data/.*.part"))
    build_triplets(configured(photos), out)
    assert contents(out) == contents(built)


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["cut", "gone", "forged"])
def test_a_damaged_shard_is_made_anew_and_the_others_are_kept(
    photos: Path, built: Path, tmp_path: Path, damage: str
) -> None:
    out = tmp_path / "out"
    build_triplets(configured(photos), out)
    first, second, *_ = (out / shard.file for shard in load_manifest(out).shards)
    whole, kept = second.read_bytes(), first.stat().st_mtime_ns
    if damage == "gone":
        second.unlink()
    else:
        second.write_bytes(whole[:100] if damage == "cut" else whole[:-9] + b"x" + whole[-8:])
    tried: list[int] = []
    build_triplets(configured(photos), out, lambda stage, done, total: tried.append(done))
    assert first.stat().st_mtime_ns == kept
    assert tried == [0, 4, 8, 12, 15, 19]
    assert contents(out) == contents(built)


def test_a_finished_folder_is_verified_and_not_written_anew(photos: Path, tmp_path: Path) -> None:
    build_triplets(configured(photos), tmp_path)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.glob("data/*")}
    seen: list[tuple[int, int]] = []
    build_triplets(configured(photos), tmp_path, lambda stage, done, total: seen.append((done, total)))
    assert seen == [(0, 19), (4, 19), (8, 19), (12, 19), (16, 19), (19, 19)]
    assert {p: p.stat().st_mtime_ns for p in tmp_path.glob("data/*")} == before


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"size": 48}, "size is 32 there and 48 here"),
        ({"detector": "sobel"}, r"detector is canny@1\(low=0.1,high=0.2\) there and sobel@1"),
        ({"detector": {"name": "canny", "low": 0.05}}, "detector is"),
        ({"limit": 3}, "limit is 19 there and 3 here"),
        ({"shard_rows": 5}, "shard_rows is 4 there and 5 here"),
        ({"source": "sketchworld", "limit": 19}, "split|source"),
    ],
)
def test_another_recipe_is_refused_naming_the_key(
    photos: Path, built: Path, changed: dict[str, Any], key: str
) -> None:
    before = contents(built)
    with pytest.raises(LepbenchError, match=key):
        build_triplets(configured(photos, **changed), built)
    assert contents(built) == before


def test_a_corpus_that_changed_is_another_recipe(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    save_every_mode(photos)
    build_triplets(configured(photos, limit=2), tmp_path / "out")
    (photos / "UPPER.txt").write_text("another caption")
    with pytest.raises(LepbenchError, match=r"source\.fingerprint"):
        build_triplets(configured(photos, limit=2), tmp_path / "out")


def test_a_build_without_a_triplet_leaves_its_folder_to_the_next(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    for number in range(6):
        noise = np.random.default_rng(number).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).save(photos / f"{number}.png")
    with pytest.raises(LepbenchError, match="can be a triplet: no caption"):
        build_triplets(configured(photos, shard_rows=2), out)
    for number in range(6):
        (photos / f"{number}.txt").write_text(f"picture {number}")
    result = build_triplets(configured(photos, shard_rows=3), out)
    assert result.manifest.written == 6
    assert len(list((out / "data").iterdir())) == len(list((out / "shards").iterdir())) == 2


def test_other_packages_may_not_finish_what_was_begun(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_until(6, configured(photos), tmp_path / "out")
    monkeypatch.setattr("lepbench.data.build.list_software", lambda: {"pillow": "0.0"})
    with pytest.raises(LepbenchError, match="begun with other packages"):
        build_triplets(configured(photos), tmp_path / "out")


@pytest.mark.parametrize("place", [".", "inside/deeper"])
def test_writing_into_the_source_is_refused(photos: Path, place: str) -> None:
    before = contents(photos)
    with pytest.raises(LepbenchError, match="lies inside the source"):
        build_triplets(configured(photos), photos / place)
    assert contents(photos) == before


def test_a_folder_with_other_things_is_refused(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(LepbenchError, match=r"holds 'README.md'"):
        build_triplets(configured(photos), tmp_path)
    assert (tmp_path / "README.md").read_text() == "mine"


def test_a_file_in_the_way_of_the_output_is_one_line(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(LepbenchError, match="cannot create"):
            build_triplets(configured(photos), out)


def test_two_builds_may_not_share_a_folder(photos: Path, tmp_path: Path) -> None:
    with FileLock(tmp_path / ".lock"), pytest.raises(LepbenchError, match="another build is writing"):
        build_triplets(configured(photos), tmp_path)


def test_nothing_usable_is_one_line_and_the_reasons_are_on_record(photos: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "a.jpg").write_bytes((photos / "truncated.jpg").read_bytes())
    (bad / "a.txt").write_text("a")
    with pytest.raises(LepbenchError, match=r"picture cannot be decoded \(1\)"):
        build_triplets(configured(bad), tmp_path / "out")
    assert json.loads((tmp_path / "out" / "rejected.jsonl").read_text())["id"] == "a.jpg"


def test_a_shard_without_rows_does_not_spoil_the_set(photos: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    whole = (photos / "rgb.jpg").read_bytes()
    for number in range(6):
        (corpus / f"{number}.jpg").write_bytes(whole if number in (4, 5) else whole[:99])
        (corpus / f"{number}.txt").write_text(f"一只小猫 🐈 \u202e rtl {number}")
    manifest = build_triplets(configured(corpus, shard_rows=2), tmp_path / "out").manifest
    assert [shard.rows for shard in manifest.shards] == [0, 0, 2]
    rows = load_dataset(str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache"))
    assert rows["id"][:] == ["4.jpg", "5.jpg"] == [triplet.id for triplet in Triplets(tmp_path / "out")]
    assert rows["text"][0] == "一只小猫 🐈 \u202e rtl 4"
    assert "| rows whose original occurs more than once | 2 |" in (tmp_path / "out" / "README.md").read_text()


def test_manifest_round_trips(built: Path) -> None:
    manifest = load_manifest(built)
    assert Manifest.model_validate_json(manifest.model_dump_json()) == manifest


def test_a_damaged_manifest_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"recipe": ')
    with pytest.raises(LepbenchError, match=r"manifest\.json: not valid JSON"):
        load_manifest(tmp_path)


def test_streaming_and_plain_loading_agree_after_a_resume(photos: Path, tmp_path: Path) -> None:
    build_until(6, configured(photos), tmp_path / "out")
    build_triplets(configured(photos), tmp_path / "out")
    plain = load_dataset(str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache"))
    streamed = load_dataset(str(tmp_path / "out"), split="train", streaming=True)
    for one, other in zip(plain, streamed, strict=True):
        assert {key: value for key, value in one.items() if "image" not in key} == {
            key: value for key, value in other.items() if "image" not in key
        }
        assert (np.array(one["image"]) == np.array(other["image"])).all()


def test_the_columns_feed_the_controlnet_trainer_of_diffusers(built: Path, tmp_path: Path) -> None:
    """The trainer's own steps over its default column names: convert to RGB, resize, centre crop, tensor."""
    from torch.utils.data import DataLoader
    from torchvision import transforms

    rows = load_dataset(str(built), split="train", cache_dir=str(tmp_path))
    shaped = transforms.Compose([transforms.Resize(16), transforms.CenterCrop(16), transforms.ToTensor()])

    def shape(some: dict[str, Any]) -> dict[str, Any]:
        pictures = [shaped(image.convert("RGB")) for image in some["image"]]
        conditions = [shaped(image.convert("RGB")) for image in some["conditioning_image"]]
        return {"pixel_values": pictures, "conditioning_pixel_values": conditions, "text": some["text"]}

    batches = list(DataLoader(rows.with_transform(shape), batch_size=4))
    assert sum(len(batch["text"]) for batch in batches) == PHOTOGRAPH_COUNT
    for batch in batches:
        assert batch["pixel_values"].shape[1:] == batch["conditioning_pixel_values"].shape[1:] == (3, 16, 16)
        assert batch["conditioning_pixel_values"].max() > 0.2


FULL = """
import resource, signal, sys
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
from lepbench.cli.app import main
sys.argv = ["lepbench", *sys.argv[2:]]
main()
"""


@pytest.mark.slow
def test_a_disk_that_is_full_is_one_line_and_nothing_is_lost(
    photos: Path, built: Path, tmp_path: Path
) -> None:
    """A bound on the size of files stands for the disk; it lets small shards pass."""
    recipe = {"source": {"name": "folder", "path": str(photos)}, "size": 32, "shard_rows": 4}
    (tmp_path / "build.yaml").write_text(yaml.safe_dump(recipe))
    out = tmp_path / "out"
    command = ("build-data", tmp_path / "build.yaml", "--out", out)
    assert f"cannot write {out / 'data'}" in full(9000, *command)
    assert f"cannot write {out / 'contact_sheet.png'}" in full(30_000, *command)
    build_triplets(configured(photos), out)
    assert contents(out) == contents(built)


@pytest.mark.slow
def test_neither_a_sheet_nor_an_export_has_more_room(photos: Path, built: Path, tmp_path: Path) -> None:
    looked = full(9000, "build-data", photos, "--dry-run", "--out", tmp_path / "out")
    assert f"cannot write {tmp_path / 'out.dry-run.png'}" in looked
    exported = full(30_000, "data", "export", built, "--out", tmp_path / "tars", "--rows-per-tar", "2")
    assert f"cannot write {tmp_path / 'tars' / 'contact_sheet.png'}" in exported


def full(bound: int, *arguments: str | Path) -> str:
    """What a command says that may write no file of more than so many bytes."""
    # Python would cut the compiled modules short too, and every later process would stumble over them.
    command = [sys.executable, "-B", "-c", FULL, str(bound), *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "run the same command again" in done.stderr
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


class Faulty(Corpus):
    """A folder that raises what no one expects, from a number on."""

    def __init__(self, folder: Folder, broken: int) -> None:
        self.inner, self.broken = folder.open(32, None), broken
        self.label, self.licence, self.count = self.inner.label, self.inner.licence, self.inner.count

    def entry(self, number: int) -> Entry:
        if number >= self.broken:
            raise RuntimeError("the tape\ntore")
        return self.inner.entry(number)

    def recipe(self) -> dict[str, Any]:
        return self.inner.recipe()


def test_a_source_that_raises_half_way_is_one_line_and_what_is_made_is_kept(
    photos: Path, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Folder.open
    with monkeypatch.context() as broken:
        broken.setattr(Folder, "open", lambda self, size, limit: Faulty(Whole(path=self.path), 9))
        with pytest.raises(
            LepbenchError, match=r"folder:photos failed at 'entry 9': RuntimeError: the tape tore"
        ):
            build_triplets(configured(photos), tmp_path / "out")
    assert Folder.open is plain
    assert len(list((tmp_path / "out" / "shards").iterdir())) == 2
    build_triplets(configured(photos), tmp_path / "out")
    assert contents(tmp_path / "out") == contents(built)


OPEN_FOLDER = Folder.open


class Whole(Folder):
    """The folder as it was before it was broken."""

    def open(self, size: int, limit: int | None) -> Corpus:
        return OPEN_FOLDER(self, size, limit)


def test_pictures_may_keep_their_sizes(photos: Path, tmp_path: Path) -> None:
    build_triplets(configured(photos, size=None), tmp_path / "out")
    triplets = Triplets(tmp_path / "out")
    assert triplets.size is None
    for triplet in triplets:
        assert triplet.image.shape[:2] == triplet.edges.shape
        with Image.open(photos / triplet.id) as original:
            lying = triplet.id == "rotated.jpg"
            assert triplet.image.shape[1::-1] == (original.size[::-1] if lying else original.size)


def test_a_folder_of_an_earlier_format_is_one_line(built: Path, tmp_path: Path) -> None:
    told = json.loads((built / "manifest.json").read_text())
    told["recipe"] = {"format": 1, "size": 32}
    (tmp_path / "manifest.json").write_text(json.dumps(told))
    with pytest.raises(LepbenchError, match="is of format 1, not 4; build anew"):
        load_manifest(tmp_path)


def test_what_a_finished_folder_rests_on_outlasts_a_power_cut(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shard is on the disk before its record is, and that before the manifest says that all are made."""
    settled: list[str] = []

    def fsync(descriptor: int) -> None:
        settled.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)

    monkeypatch.setattr(os, "fsync", fsync)
    build_triplets(configured(photos, limit=2), tmp_path / "out")
    told = [name.lstrip(".").split(".")[0] for name in settled]
    shard = "train-00000-of-00001"
    assert told == ["manifest", "out", shard, "data", shard, "shards", "rejected", "out", "manifest", "out"]
    assert all(name.endswith(".part") for name in settled[::2])


def test_a_device_that_is_not_there_is_one_line_and_leaves_nothing(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(LepbenchError, match="device is cuda, and there is none here; write 'device: cpu'"):
        build_triplets(configured(photos, device="cuda"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("detector", "there", "device"),
    [("hed", True, "cuda"), ("hed", False, "cpu"), ("canny", True, "cpu")],
)
def test_a_network_goes_where_it_is_fast_if_told_to(
    photos: Path, monkeypatch: pytest.MonkeyPatch, detector: str, there: bool, device: str
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: there)
    assert configured(photos, detector=detector, device="auto").placed().device == device
    assert configured(photos, detector=detector).placed().device == "cpu"


def test_the_recipe_has_the_device_that_auto_came_to(photos: Path, tmp_path: Path) -> None:
    build_triplets(configured(photos, device="auto", limit=2), tmp_path / "out")
    assert load_manifest(tmp_path / "out").recipe.device == "cpu"
    build_triplets(configured(photos, device="cpu", limit=2), tmp_path / "out")
