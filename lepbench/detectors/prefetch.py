"""Download a known checkpoint into the cache on request, with a lock that pins its bytes."""

from __future__ import annotations

import hashlib
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO

from lepbench.detectors.checkpoint import (
    Checkpoint,
    Lock,
    check_hash,
    find_prefetched,
    find_url,
    lock_path,
    place_of,
    read_lock,
)
from lepbench.errors import LepbenchError
from lepbench.files import atomic_path, write_text
from lepbench.progress import Progress, ignore_progress

OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
"""Environment variables that forbid network access."""
PIECE = 2**20
SILENCE = 60
"""Seconds without data until a download times out."""


def prefetch(
    name: str,
    source: str | None = None,
    sha256: str | None = None,
    trust: bool = False,
    progress: Progress = ignore_progress,
) -> Checkpoint:
    """Download a known checkpoint into the cache, unless this file is there already.

    The file is written atomically and must have the hash given by `sha256` or by an existing lock,
    or it is not written. With neither, `trust` accepts the file and locks it.

    Args:
        source: a URL or a path to get it from, even if it is cached; None for the published URL.
        progress: called with (stage, done, total): the name, the bytes done, and the bytes there are, or
            those done where that is unknown.

    Raises:
        LepbenchError: the name is unknown, its hash is unknown or differs, or the download fails.
    """
    if sha256 is not None and not re.fullmatch("[0-9a-f]{64}", sha256):
        raise LepbenchError(f"{sha256!r} is no sha256", "write its 64 digits of 0-9 and a-f")
    path = place_of(name)
    lock = read_lock(path)
    if lock and not source and sha256 in (None, lock.sha256) and path.is_file():
        return find_prefetched(name)
    expected = sha256 or (lock.sha256 if lock else None)
    if expected is None and not trust:
        raise LepbenchError(
            f"no sha256 of {name!r} is known here",
            "tell it with --sha256, or take what comes with --trust, which pins it from then on",
        )
    url = address(source or find_url(name))
    with atomic_path(path) as partial:
        found = _download(name, url, partial, progress)
        check_hash(f"what came from {url}", found, expected)
        size = partial.stat().st_size
    known = sha256 is not None or (lock is not None and lock.known)
    lock = Lock(source=url, size=size, sha256=found, known=known)
    write_text(lock_path(path), lock.model_dump_json(indent=2) + "\n")
    return find_prefetched(name)


def address(source: str) -> str:
    """A URL or a path as a URL that may be opened now.

    Raises:
        LepbenchError: there is no such file, the scheme is another than file and http(s), or work is offline.
    """
    scheme = source.partition("://")[0]
    if scheme == "file":
        return source
    if scheme in ("http", "https"):
        if any(os.environ.get(name, "").upper() in {"1", "ON", "YES", "TRUE"} for name in OFFLINE):
            raise LepbenchError(f"{source} cannot be fetched offline", "give a file with --from")
        return source
    if not Path(source).is_file():
        raise LepbenchError(f"no such file: {source}", "give a path or a URL of http, https or file")
    return Path(source).absolute().as_uri()


def _download(name: str, url: str, path: Path, progress: Progress) -> str:
    """Download a URL to a file, and return its hash."""
    try:
        with urllib.request.urlopen(url, timeout=SILENCE) as stream, path.open("wb") as out:
            total = int(stream.headers.get("Content-Length") or 0)
            found, size = _copied(stream, out, lambda done: progress(name, done, max(done, total)))
    except (OSError, ValueError, HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise LepbenchError(f"{url} cannot be fetched: {reason}", "check it, or give --from") from error
    if total and size != total:
        raise LepbenchError(f"{url} broke off after {size} of {total} bytes", "run the same command again")
    return found


def _copied(stream: BinaryIO, out: BinaryIO, count: Callable[[int], None]) -> tuple[str, int]:
    """Copy in pieces, `count` being called with the bytes done; the hash and the number of the bytes."""
    running, size = hashlib.sha256(), 0
    while piece := stream.read(PIECE):
        running.update(piece)
        size += out.write(piece)
        count(size)
    return running.hexdigest(), size
