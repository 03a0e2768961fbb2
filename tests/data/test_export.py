"""Tars read by three other readers hold the rows to the byte, whatever interrupted the writing of them."""

from __future__ import annotations

import io
import json
import os
import signal
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_folders import PHOTOGRAPH_COUNT, save_every_mode
from PIL import Image

from lepbench.data import export as export_module
from lepbench.data.build import build_triplets
from lepbench.data.config import BuildConfig
from lepbench.data.export import ExportIndex, export
from lepbench.data.manifest import Manifest, load_manifest
from lepbench.data.read import Triplets
from lepbench.errors import LepbenchError


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """JPEG and PNG rows in two shards and three row groups, ids with dots and spaces, a reject among them."""
    photos = tmp_path_factory.mktemp("corpus")
    save_every_mode(photos)
    for name in ("a.b c.jpg", "é.jpg"):
        (photos / name).write_bytes((photos / "rgb.jpg").read_bytes())
        (photos / name).with_suffix(".txt").write_text(f"schräg, 斜め {name}")
    (photos / "empty.jpg").touch()
    (photos / "empty.txt").write_text("nothing")
    out = tmp_path_factory.mktemp("built") / "triplets"
    config = {"source": {"name": "folder", "path": photos}, "size": 32, "shard_rows": 12}
    build_triplets(BuildConfig.model_validate(config), out)
    return out


def exported(folder: Path, out: Path, rows_per_tar: int = 4) -> ExportIndex:
    return export(folder, out, "webdataset", rows_per_tar, lambda what, done, total: None)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}


def samples(out: Path) -> Iterator[dict[str, bytes]]:
    """The samples of all tars in order, grouped as the layout says: by what precedes the first dot."""
    for path in sorted(out.glob("*.tar")):
        with tarfile.open(path) as archive:
            grouped: dict[str, dict[str, bytes]] = {}
            for member in archive:
                key, _, suffix = member.name.partition(".")
                stream = archive.extractfile(member)
                assert stream is not None
                grouped.setdefault(key, {"__key__": key.encode()})[suffix] = stream.read()
            yield from grouped.values()


def pixels(content: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(content)))


def test_every_row_is_a_sample_with_its_pixels_caption_and_columns(built: Path, tmp_path: Path) -> None:
    index = exported(built, tmp_path / "out")
    triplets, found = Triplets(built), list(samples(tmp_path / "out"))
    assert len(found) == len(triplets) == PHOTOGRAPH_COUNT + 2
    stored = pq.ParquetDataset(built / "data").read().to_pylist()
    kinds = set()
    for number, (sample, triplet, row) in enumerate(zip(found, triplets, stored, strict=True)):
        (picture,) = {"jpg", "png"} & set(sample)
        kinds.add(picture)
        assert set(sample) == {"__key__", picture, "edges.png", "txt", "json"}
        assert int(sample["__key__"]) == number
        assert Image.open(io.BytesIO(sample[picture])).format == {"jpg": "JPEG", "png": "PNG"}[picture]
        assert (pixels(sample[picture]) == triplet.image).all()
        assert ((pixels(sample["edges.png"]) > 0) == triplet.edges).all()
        assert sample["txt"].decode() == triplet.text
        taken = {"image", "conditioning_image", "text"}
        assert json.loads(sample["json"]) == {key: row[key] for key in row.keys() - taken}
        assert (sample[picture], sample["edges.png"]) == (
            row["image"]["bytes"],
            row["conditioning_image"]["bytes"],
        )
    assert kinds == {"jpg", "png"}
    assert [(tar.file, tar.rows) for tar in index.tars] == [
        (f"train-{number:05d}-of-00004.tar", rows) for number, rows in enumerate([4, 4, 4, 3])
    ]


def test_the_tars_name_no_time_and_no_owner(built: Path, tmp_path: Path) -> None:
    exported(built, tmp_path / "out", 100)
    with tarfile.open(tmp_path / "out" / "train-00000-of-00001.tar") as archive:
        said = {(each.mtime, each.uid, each.gid, each.uname, each.gname, each.mode) for each in archive}
    assert said == {(0, 0, 0, "", "", 0o644)}


@settings(max_examples=12, deadline=None)
@given(rows_per_tar=st.integers(1, PHOTOGRAPH_COUNT + 4))
def test_however_it_is_cut_the_samples_are_the_same(
    built: Path, tmp_path_factory: pytest.TempPathFactory, rows_per_tar: int
) -> None:
    whole, cut = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("cut")
    exported(built, whole, 100)
    exported(built, cut, rows_per_tar)
    assert len(list(cut.glob("*.tar"))) == -(-(PHOTOGRAPH_COUNT + 2) // rows_per_tar)
    assert list(samples(cut)) == list(samples(whole))


def test_webdataset_reads_the_same(built: Path, tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    exported(built, tmp_path)
    tars = [str(path) for path in sorted(tmp_path.glob("*.tar"))]
    read = list(webdataset.WebDataset(tars, shardshuffle=False))
    ours = list(samples(tmp_path))
    assert [sample["__key__"].encode() for sample in read] == [sample["__key__"] for sample in ours]
    for theirs, our in zip(read, ours, strict=True):
        assert {name: theirs[name] for name in our if name != "__key__"} == {
            name: our[name] for name in our if name != "__key__"
        }


def test_datasets_opens_the_folder_by_its_card(tmp_path: Path) -> None:
    config = BuildConfig.model_validate({"source": "sketchworld", "limit": 9})
    build_triplets(config, tmp_path / "triplets")
    exported(tmp_path / "triplets", tmp_path / "tars")
    opened = load_dataset(str(tmp_path / "tars"), cache_dir=str(tmp_path / "cache"), split="train")
    for row, triplet in zip(opened, Triplets(tmp_path / "triplets"), strict=True):
        assert (np.asarray(row["png"]) == triplet.image).all()
        assert ((np.asarray(row["edges.png"]) > 0) == triplet.edges).all()
        assert (row["txt"], row["json"]["id"]) == (triplet.text, triplet.id)


def test_the_tars_are_a_source_of_the_same_triplets(built: Path, tmp_path: Path) -> None:
    exported(built, tmp_path / "tars")
    source = {"name": "webdataset", "path": str(tmp_path / "tars")}
    build_triplets(BuildConfig.model_validate({"source": source, "size": 32}), tmp_path / "again")
    for here, there in zip(Triplets(tmp_path / "again"), Triplets(built), strict=True):
        assert here.text == there.text
        assert (here.image == there.image).all()
        assert (here.edges == there.edges).all()


def test_card_and_rejects_are_beside(built: Path, tmp_path: Path) -> None:
    exported(built, tmp_path)
    for name in ("rejected.jsonl", "contact_sheet.png", "histograms.png"):
        assert (tmp_path / name).read_bytes() == (built / name).read_bytes()
    here, there = ((folder / "README.md").read_text() for folder in (tmp_path, built))
    assert here == there.replace("path: data/*.parquet", "path: '*.tar'")
    assert here != there


def killed_at_row(last: int, built: Path, out: Path) -> None:
    """Export in a process that kills itself, as nothing can catch, when it comes to this row."""
    child = os.fork()
    if child == 0:
        honest = export_module.files_of

        def deadly(row: dict[str, Any], number: int) -> Iterator[tuple[str, bytes]]:
            if number == last:
                os.kill(os.getpid(), signal.SIGKILL)
            return honest(row, number)

        export_module.files_of = deadly
        exported(built, out)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL


def test_a_killed_export_goes_on_to_the_same_bytes(built: Path, tmp_path: Path) -> None:
    exported(built, tmp_path / "once")
    killed_at_row(9, built, tmp_path / "twice")
    left = contents(tmp_path / "twice")
    whole = ["train-00000-of-00004.tar", "train-00001-of-00004.tar"]
    assert sorted(name for name in left if name.endswith(".tar")) == whole
    assert [name for name in left if name.endswith(".part")]
    before = [(tmp_path / "twice" / name).stat().st_mtime_ns for name in whole]
    exported(built, tmp_path / "twice")
    assert contents(tmp_path / "twice") == contents(tmp_path / "once")
    assert [(tmp_path / "twice" / name).stat().st_mtime_ns for name in whole] == before


@pytest.mark.parametrize("harm", [b"", None], ids=["truncated", "missing"])
def test_a_damaged_tar_is_made_anew_and_no_other(built: Path, tmp_path: Path, harm: bytes | None) -> None:
    exported(built, tmp_path)
    before, hurt = contents(tmp_path), tmp_path / "train-00001-of-00004.tar"
    others = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.tar") if path != hurt}
    hurt.unlink() if harm is None else hurt.write_bytes(harm)
    exported(built, tmp_path)
    assert contents(tmp_path) == before
    assert {path: path.stat().st_mtime_ns for path in others} == others


def test_a_foreign_folder_is_left_as_it_was(built: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(LepbenchError, match=r"holds 'thesis\.tex' and no export\.json"):
        exported(built, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_another_export_is_not_written_over(built: Path, tmp_path: Path) -> None:
    exported(built, tmp_path, 4)
    with pytest.raises(LepbenchError, match="rows_per_tar is 4 there and 5 here"):
        exported(built, tmp_path, 5)
    index = json.loads((tmp_path / "export.json").read_text())
    (tmp_path / "export.json").write_text(json.dumps(index | {"data": "0" * 64}))
    with pytest.raises(LepbenchError, match="data is 0000"):
        exported(built, tmp_path, 4)
    (tmp_path / "export.json").write_text("{")
    with pytest.raises(LepbenchError, match=r"export\.json: not valid JSON"):
        exported(built, tmp_path, 4)


def test_two_exports_into_one_folder_do_not_meet(built: Path, tmp_path: Path) -> None:
    with FileLock(tmp_path / ".lock"), pytest.raises(LepbenchError, match="is writing"):
        exported(built, tmp_path)


def test_the_tars_of_a_split_with_a_slash_stay_in_the_folder(built: Path) -> None:
    manifest = load_manifest(built)
    recipe = manifest.recipe.model_copy(update={"split": "../up"})
    hostile: Manifest = manifest.model_copy(update={"recipe": recipe})
    assert [part.file for part in export_module.parts(hostile, 99)] == ["..-up-00000-of-00001.tar"]


def test_no_more_than_a_row_group_is_read_at_once(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    honest = pq.ParquetFile.read_row_group

    def counted(self: pq.ParquetFile, group: int) -> Any:
        read.append(group)
        return honest(self, group)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counted)
    stream = export_module.rows(built, load_manifest(built), range(6, 9))
    next(stream)
    assert len(read) == 1
    assert len(list(stream)) == 2
