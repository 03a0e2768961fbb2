"""Files from elsewhere: downloaded in pieces with their hash, once, into the cache."""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO

from lepbench.errors import LepbenchError
from lepbench.files import atomic_path, find_cache_folder, sha256_file
from lepbench.progress import Progress, ignore_progress

OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
"""Environment variables that forbid network access."""
PREFETCH = "work is offline: run 'lepbench prefetch MODEL.yaml SUITE' with a connection"
"""What to do about a model that is not here."""
PIECE = 2**20
SILENCE = 60
"""Seconds without data until a download times out."""


def find_file(source: str, sha256: str | None, progress: Progress = ignore_progress) -> Path:
    """A file at a path, or at a URL, which is then fetched once into the cache.

    Args:
        sha256: what its bytes must hash to; a URL needs it.
        progress: called with (stage, done, total): the file's name, the bytes done and all.

    Raises:
        LepbenchError: it is missing, cannot be fetched, or is another file.
    """
    if "://" not in source:
        path = Path(source).expanduser()
        if not path.is_file():
            raise LepbenchError(f"missing weight file {path}", "check the path")
        check_sha256(str(path), sha256_file(path), sha256)
        return path
    if sha256 is None:
        raise LepbenchError(f"{source} has no SHA-256 to know the file by", "give its 'sha256'")
    path = locate_file(source, sha256)
    if not (path.is_file() and sha256_file(path) == sha256):
        url = make_url(source, f"put the file at {path}")
        with atomic_path(path) as partial:
            check_sha256(f"what came from {url}", download(url, partial, path.name, progress), sha256)
    return path


def locate_file(url: str, sha256: str) -> Path:
    """Where the cache has the file of a URL."""
    return find_cache_folder() / "files" / sha256[:16] / url.rsplit("/", 1)[1]


def is_offline() -> bool:
    """Whether a variable forbids network access."""
    return any(os.environ.get(name, "").upper() in {"1", "ON", "YES", "TRUE"} for name in OFFLINE)


def measure_size(url: str) -> int | None:
    """The bytes behind a URL, which are not downloaded; None where its server does not say.

    Raises:
        LepbenchError: work is offline, or it cannot be reached.
    """
    request = urllib.request.Request(make_url(url, "unset HF_HUB_OFFLINE"), method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=SILENCE) as answer:
            stated = answer.headers.get("Content-Length")
    except (OSError, ValueError, HTTPException) as error:
        raise LepbenchError(f"{url} cannot be asked for: {error}", "check the connection") from error
    return int(stated) if stated else None


def check_sha256(what: str, found: str, expected: str | None) -> None:
    """Refuse another hash than the expected one; None skips the check.

    Raises:
        LepbenchError: they differ.
    """
    if expected is not None and found != expected.lower():
        raise LepbenchError(
            f"{what} has SHA-256 {found}, not {expected}",
            "it is damaged, or another file: fetch the right one",
        )


def make_url(source: str, fix: str) -> str:
    """A URL or a path as a URL that may be opened now.

    Args:
        fix: what to do instead where work is offline.

    Raises:
        LepbenchError: there is no such file, the scheme is another than file and http(s), or work is offline.
    """
    scheme = source.partition("://")[0]
    if scheme == "file":
        return source
    if scheme in ("http", "https"):
        if is_offline():
            raise LepbenchError(f"{source} cannot be fetched offline", fix)
        return source
    if not Path(source).is_file():
        raise LepbenchError(f"no such file: {source}", "give a path or a URL of http, https or file")
    return Path(source).absolute().as_uri()


def download(url: str, path: Path, name: str, progress: Progress) -> str:
    """Download a URL to a file, and return its hash.

    Args:
        name: of the stage in calls of `progress`.

    Raises:
        LepbenchError: it cannot be fetched, or breaks off.
    """
    try:
        with urllib.request.urlopen(url, timeout=SILENCE) as stream, path.open("wb") as out:
            total = int(stream.headers.get("Content-Length") or 0)
            found, size = _copy(stream, out, lambda done: progress(name, done, max(done, total)))
    except (OSError, ValueError, HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise LepbenchError(
            f"{url} cannot be fetched: {reason}",
            "check the address and the connection, or download the file yourself and give its path",
        ) from error
    if total and size != total:
        raise LepbenchError(f"{url} broke off after {size} of {total} bytes", "run the same command again")
    return found


def _copy(stream: BinaryIO, out: BinaryIO, count: Callable[[int], None]) -> tuple[str, int]:
    """Copy in pieces, `count` being called with the bytes done; the hash and the number of the bytes."""
    running, size = hashlib.sha256(), 0
    while piece := stream.read(PIECE):
        running.update(piece)
        size += out.write(piece)
        count(size)
    return running.hexdigest(), size
