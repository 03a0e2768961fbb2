"""The hash of a large file is taken once, and again after any change."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from lepbench import verified
from lepbench.files import sha256_bytes, sha256_file
from lepbench.verified import hash_large_file

OLD = time.time() - 3600


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEPBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(verified, "LARGE", 4)
    path = tmp_path / "items.parquet"
    path.write_bytes(b"first")
    os.utime(path, (OLD, OLD))
    return path


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    read: list[Path] = []

    def hash_and_count(file: Path) -> str:
        read.append(file)
        return sha256_file(file)

    monkeypatch.setattr(verified, "sha256_file", hash_and_count)
    return read


def test_a_file_is_read_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = count_reads(monkeypatch)
    assert [hash_large_file(path) for _ in range(3)] == [sha256_bytes(b"first")] * 3
    assert read == [path]


def test_a_changed_file_is_read_again(path: Path) -> None:
    hash_large_file(path)
    path.write_bytes(b"other")
    # The time of change cannot be set back.
    os.utime(path, (OLD, OLD))
    assert hash_large_file(path) == sha256_bytes(b"other")


def test_a_file_just_written_is_not_remembered(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(b"fresh")
    read = count_reads(monkeypatch)
    hash_large_file(path)
    hash_large_file(path)
    assert len(read) == 2


def test_damaged_memory_is_passed_over(path: Path, tmp_path: Path) -> None:
    hash_large_file(path)
    (memory,) = (tmp_path / "cache" / "hashes").iterdir()
    memory.write_text("half")
    assert hash_large_file(path) == sha256_bytes(b"first")


def test_small_files_are_always_read(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verified, "LARGE", 100)
    hash_large_file(path)
    assert not (tmp_path / "cache").exists()
