"""Download known weights into the cache on request, with a lock that pins their bytes."""

from __future__ import annotations

import re

from lepbench.detectors.weights import (
    Lock,
    WeightsFile,
    find_prefetched,
    find_url,
    lock_path,
    place_of,
    read_lock,
)
from lepbench.errors import LepbenchError
from lepbench.faults import SHA256
from lepbench.fetch import check_sha256, download, make_url
from lepbench.files import atomic_path, write_text
from lepbench.progress import Progress, ignore_progress


def prefetch(
    name: str,
    source: str | None = None,
    sha256: str | None = None,
    trust: bool = False,
    progress: Progress = ignore_progress,
) -> WeightsFile:
    """Download known weights into the cache, unless the file is there already.

    The file is written atomically and must have the hash given by `sha256` or by an existing lock,
    or it is not written. With neither, `trust` accepts the file and locks it.

    Args:
        source: a URL or a path to get it from, even if it is cached; None for the published URL.
        progress: called with (stage, done, total): the name, the bytes done, and the bytes there are, or
            those done where that is unknown.

    Raises:
        LepbenchError: the name is unknown, its hash is unknown or differs, or the download fails.
    """
    if sha256 is not None and not re.fullmatch(SHA256, sha256):
        raise LepbenchError(f"{sha256!r} is no sha256", "write its 64 digits of 0-9 and a-f")
    path = place_of(name)
    lock = read_lock(path)
    if lock and not source and sha256 in (None, lock.sha256) and path.is_file():
        return find_prefetched(name)
    expected = sha256 or (lock.sha256 if lock else None)
    if expected is None and not trust:
        raise LepbenchError(
            f"no sha256 of {name!r} is known here",
            "give it with --sha256, or add --trust to accept the file that comes, whose sha256 is then kept",
        )
    url = make_url(source or find_url(name), "give a file with --from")
    with atomic_path(path) as partial:
        found = download(url, partial, name, progress)
        check_sha256(f"what came from {url}", found, expected)
        size = partial.stat().st_size
    known = sha256 is not None or (lock is not None and lock.known)
    lock = Lock(source=url, size=size, sha256=found, known=known)
    write_text(lock_path(path), lock.model_dump_json(indent=2) + "\n")
    return find_prefetched(name)
