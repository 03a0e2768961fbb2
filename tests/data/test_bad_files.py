"""A folder of everything that may be wrong with a file: no crash, and every file accounted for."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_folders import jpeg, photograph

from lepbench.data.build import build
from lepbench.data.config import BuildConfig
from lepbench.data.manifest import load_manifest
from lepbench.data.read import Triplets

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
    "utf-16.jpg": ("a fish".encode("utf-16"), "caption is not UTF-8"),
    "controls-alone.jpg": (b"\0\x01\x02", "empty caption"),
    "spaces.jpg": ("\u2003\u00a0\n".encode(), "empty caption"),
}
Put = Callable[[Path], None]
PLACES: dict[str, tuple[Put, str]] = {
    "a-folder.jpg": (lambda path: path.mkdir(), ""),
    "out.jpg": (lambda path: path.symlink_to("/etc/hostname"), "path leaves the folder"),
    "dangling.jpg": (lambda path: path.symlink_to("nowhere.jpg"), ""),
    "circle.jpg": (lambda path: path.symlink_to(path.name), ""),
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
    for name, (put, _) in PLACES.items():
        put(folder / name)
        (folder / name).with_suffix(".txt").write_text("a caption")
    return folder


def configured(folder: Path) -> BuildConfig:
    source = {"name": "folder", "path": folder}
    return BuildConfig.model_validate({"source": source, "size": 48, "shard_rows": 7})


def test_every_bad_file_is_accounted_for(bad: Path, tmp_path: Path) -> None:
    build(configured(bad), tmp_path / "out")
    rejects = [json.loads(line) for line in (tmp_path / "out" / "rejected.jsonl").read_text().splitlines()]
    expected = {name: reason for name, (_, reason) in {**FILES, **CAPTIONS}.items() if reason}
    expected |= {name: reason for name, (_, reason) in PLACES.items() if reason}
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
    manifest = build(configured(folder), folder.parent / "out").manifest
    assert manifest.written + sum(manifest.rejected.values()) == len(damages) + 1
