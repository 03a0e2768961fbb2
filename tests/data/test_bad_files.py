"""A folder of everything that may be wrong with a file: no crash, and every file accounted for."""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_folders import jpeg, photograph

from lepbench.data.build import build_triplets
from lepbench.data.config import BuildConfig
from lepbench.data.manifest import load_manifest
from lepbench.data.read import Triplets
from lepbench.detectors import Canny
from lepbench.errors import LepbenchError
from lepbench.images import encode_png

JPEG = jpeg(photograph())


def saved(form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    photograph().save(buffer, format=form, **options)
    return buffer.getvalue()


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.jpg", JPEG)
    return buffer.getvalue()


def png(width: int, height: int, rows: bytes) -> bytes:
    """A PNG whose header says what it likes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


NOT_DECODABLE = "picture cannot be decoded"
FILES: dict[str, tuple[bytes, str | None]] = {
    "a-jpeg-called.png": (JPEG, None),
    "a-png-called.jpg": (saved("PNG"), None),
    "a-webp-called.gif": (saved("WEBP"), None),
    "with-garbage-after.jpg": (JPEG + b"\0\1\2garbage", None),
    "progressive.jpg": (saved("JPEG", progressive=True), None),
    "a-zip.jpg": (zipped(), NOT_DECODABLE),
    "postscript.png": (saved("EPS"), NOT_DECODABLE),
    "an-svg.png": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", NOT_DECODABLE),
    "half.jpg": (JPEG[: len(JPEG) // 2], NOT_DECODABLE),
    "half-and-closed.jpg": (JPEG[: len(JPEG) // 2] + b"\xff\xd9", NOT_DECODABLE),
    "without-end.jpg": (JPEG[:-40], NOT_DECODABLE),
    "half.gif": (saved("GIF")[:900], NOT_DECODABLE),
    "half.webp": (saved("WEBP")[:400], NOT_DECODABLE),
    "bomb.png": (png(60_000, 60_000, b"\0" * 100), "picture is too large"),
    "lying.png": (png(200, 200, b"\0" * 100), NOT_DECODABLE),
    "no-size.png": (png(0, 0, b""), NOT_DECODABLE),
    "nothing.jpg": (b"", "empty file"),
}
CAPTIONS: dict[str, tuple[bytes, str | None]] = {
    "a-megabyte.jpg": (b"word " * 200_000, None),
    "one-word.jpg": (b"x" * 1_000_000, None),
    "control.jpg": (b"a \0fish\x07 with\x1b[31m\r\nlines", None),
    "latin-1.jpg": (b"caf\xe9", "caption is not UTF-8"),
    "utf-16.jpg": ("a fish, told in UTF-16".encode("utf-16"), None),
    "odd-utf-16.jpg": (b"\xff\xfea", "caption is not UTF-8"),
    "controls-alone.jpg": (b"\0\x01\x02", "empty caption"),
    "spaces.jpg": ("\u2003\u00a0\n".encode(), "empty caption"),
}
Put = Callable[[Path], object]
SIDECARS: dict[str, tuple[Put, str]] = {
    "told-outside.jpg": (lambda path: path.symlink_to("/etc/passwd"), "path leaves the folder"),
    "told-by-a-pipe.jpg": (os.mkfifo, "no plain file"),
    "told-by-a-folder.jpg": (Path.mkdir, "no plain file"),
    "told-nowhere.jpg": (lambda path: path.symlink_to("nowhere.txt"), "no caption"),
}
PLACES: dict[str, tuple[Put, str]] = {
    "a-folder.jpg": (lambda path: path.mkdir(), ""),
    "out.jpg": (lambda path: path.symlink_to("/etc/hostname"), "path leaves the folder"),
    "dangling.jpg": (lambda path: path.symlink_to("nowhere.jpg"), "missing file"),
    "circle.jpg": (lambda path: path.symlink_to(path.name), "missing file"),
    "pipe.jpg": (os.mkfifo, "no plain file"),
    "linked-folder": (lambda path: path.symlink_to("a-folder.jpg"), "no plain file"),
    "linked-folder-out": (lambda path: path.symlink_to("/etc"), "path leaves the folder"),
    "photograph.HEIC": (lambda path: path.write_bytes(b"ftypheic"), "unknown kind of picture"),
    "drawing.svg": (lambda path: path.write_text("<svg/>"), "unknown kind of picture"),
    ".hidden.psd": (Path.touch, ""),
    ".hidden-folder": (lambda path: path.symlink_to("a-folder.jpg"), ""),
    "README": (Path.touch, ""),
    "notes.json": (lambda path: path.symlink_to("nowhere.json"), ""),
}


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus") / "bad"
    folder.mkdir()
    for number, (name, (content, _)) in enumerate(FILES.items()):
        (folder / name).write_bytes(content)
        (folder / name).with_suffix(".txt").write_text(f"file {number}")
    for name, (caption, _) in CAPTIONS.items():
        (folder / name).write_bytes(JPEG)
        (folder / name).with_suffix(".txt").write_bytes(caption)
    for name, (put, _) in SIDECARS.items():
        (folder / name).write_bytes(JPEG)
        put((folder / name).with_suffix(".txt"))
    for name, (put, _) in PLACES.items():
        put(folder / name)
        (folder / name).with_suffix(".txt").write_text("a caption")
    return folder


def configured(folder: Path) -> BuildConfig:
    source = {"name": "folder", "path": folder}
    return BuildConfig.model_validate({"source": source, "size": 48, "shard_rows": 7})


def test_every_bad_file_is_accounted_for(bad: Path, tmp_path: Path) -> None:
    build_triplets(configured(bad), tmp_path / "out")
    rejects = [json.loads(line) for line in (tmp_path / "out" / "rejected.jsonl").read_text().splitlines()]
    expected = {name: reason for name, (_, reason) in {**FILES, **CAPTIONS}.items() if reason}
    expected |= {name: reason for name, (_, reason) in {**SIDECARS, **PLACES}.items() if reason}
    assert {reject["id"]: reject["reason"] for reject in rejects} == expected
    rows = {triplet.id: triplet.text for triplet in Triplets(tmp_path / "out")}
    assert set(rows) == {name for name, (_, reason) in {**FILES, **CAPTIONS}.items() if not reason}
    manifest = load_manifest(tmp_path / "out")
    assert len(rows) + len(rejects) == manifest.recipe.limit
    assert rows["control.jpg"] == "a fish with[31m lines"
    assert rows["a-megabyte.jpg"] == " ".join(["word"] * 400)
    assert rows["one-word.jpg"] == "x" * 2000
    assert manifest.flags["caption: cut"] == 2
    assert manifest.flags["caption: control characters removed"] == 1
    assert manifest.flags["caption: white space"] == 1


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(FILES)), st.integers(0, 3000), st.binary(max_size=8)), min_size=1
    )
)
def test_any_damage_to_any_file_is_a_row_or_a_reject(
    tmp_path_factory: pytest.TempPathFactory, damages: list[tuple[str, int, bytes]]
) -> None:
    folder = tmp_path_factory.mktemp("damaged") / "files"
    folder.mkdir()
    photograph().save(folder / "whole.png")
    (folder / "whole.txt").write_text("whole")
    for number, (name, at, noise) in enumerate(damages):
        content = FILES[name][0]
        path = folder / f"{number}{Path(name).suffix}"
        path.write_bytes(content[:at] + noise + content[at + len(noise) :])
        path.with_suffix(".txt").write_text(f"number {number}")
    manifest = build_triplets(configured(folder), folder.parent / "out").manifest
    assert manifest.written + sum(manifest.rejected.values()) == len(damages) + 1


@pytest.fixture
def four(tmp_path: Path) -> Path:
    """Three photographs, between which lies a picture of one pixel."""
    folder = tmp_path / "four"
    folder.mkdir()
    for number in range(4):
        pixel = encode_png(np.zeros((1, 1, 3), np.uint8))
        (folder / f"{number}.png").write_bytes(pixel if number == 1 else JPEG)
        (folder / f"{number}.txt").write_text(f"file {number}")
    return folder


def test_a_picture_that_the_detector_cannot_bear_is_left_out_alone(four: Path, tmp_path: Path) -> None:
    config = configured(four).model_copy(update={"size": None})
    manifest = build_triplets(config, tmp_path / "out").manifest
    assert (manifest.written, manifest.rejected) == (3, {"detector failed": 1})
    reject = json.loads((tmp_path / "out" / "rejected.jsonl").read_text())
    assert reject["id"] == "1.png"
    assert reject["detail"].startswith("1 x 1 px: RuntimeError: ")


FAULTS: dict[str, tuple[Exception, str]] = {
    "memory": (MemoryError(), "not enough memory to make .* with fewer --workers"),
    "torch": (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "not enough memory"),
    "opencv": (cv2.error("(-4:Insufficient memory) Failed to allocate 9 bytes"), "not enough memory"),
    "device": (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"), "not enough memory"),
    "driver": (
        RuntimeError("CUDA error: device-side assert triggered"),
        r"canny@1\(.*\) failed: RuntimeError",
    ),
    "package": (
        ImportError("no such package"),
        "failed: ImportError: no such package; correct that, and run",
    ),
}


@pytest.mark.parametrize(("fault", "said"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_the_machine_is_no_fault_of_a_picture(
    four: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception, said: str
) -> None:
    def failing(*arguments: object) -> None:
        raise fault

    monkeypatch.setattr(Canny, "__call__", failing)
    with pytest.raises(LepbenchError, match=said):
        build_triplets(configured(four), tmp_path / "out")


@pytest.mark.parametrize("where", ["lepbench.data.picture._opencv", "lepbench.data.triplet.store_picture"])
def test_too_little_memory_for_a_picture_ends_the_build(
    four: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def failing(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(where, failing)
    with pytest.raises(LepbenchError, match="not enough memory to make data/train"):
        build_triplets(configured(four), tmp_path / "out")
