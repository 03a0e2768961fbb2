"""Large files whose hash was taken before: they are read through again only after they changed."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.faults import SHA256
from lepbench.files import find_cache_folder, sha256_bytes, sha256_file, write_text

LARGE = 64 << 20
"""Bytes from which the hash of a file is remembered."""
SETTLED = 2.0
"""Seconds after its last change from which the time of a file tells whether it changed again."""


def hash_large_file(path: Path) -> str:
    """SHA-256 of a file; of a large one as it was found before, if neither size nor times changed since.

    What is remembered lies in the cache folder, a small file each.
    """
    before = path.stat()
    if before.st_size < LARGE:
        return sha256_file(path)
    state = [str(path.resolve()), before.st_size, before.st_mtime_ns, before.st_ctime_ns]
    memory = find_cache_folder() / "hashes" / f"{sha256_bytes(json.dumps(state).encode())}.txt"
    if known := _recall(memory):
        return known
    digest = sha256_file(path)
    after = path.stat()
    unchanged = (after.st_mtime_ns, after.st_ctime_ns) == (before.st_mtime_ns, before.st_ctime_ns)
    if unchanged and time.time() - after.st_mtime > SETTLED:
        _remember(memory, digest)
    return digest


def _recall(memory: Path) -> str:
    """A hash that was remembered; empty if none was, or not whole."""
    try:
        known = memory.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
    return known if re.fullmatch(SHA256, known) else ""


def _remember(memory: Path, digest: str) -> None:
    try:
        write_text(memory, digest)
    except (LepbenchError, OSError):
        # A cache that cannot be written costs time alone.
        return
