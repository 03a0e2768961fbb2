"""Relative paths are meant to the folder in which the command was given, wherever the work is done."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from picture_folders import jpeg, photograph
from small_builds import contents, letters

from lepbench.data.build import build_triplets
from lepbench.data.config import BuildConfig
from lepbench.data.manifest import load_manifest
from lepbench.engines import InProcess


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
