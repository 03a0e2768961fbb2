"""The lockfile of what was fetched for an evaluation: revisions, files and their hashes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lepbench.config import Config, dump_config, load_config
from lepbench.detectors.weights import PUBLISHED, place_of
from lepbench.errors import LepbenchError
from lepbench.fetch import locate_file
from lepbench.files import write_text
from lepbench.hub import find_snapshot
from lepbench.needs import Fetchable, Need
from lepbench.progress import Progress, ignore_progress
from lepbench.verified import hash_large_file

LOCKFILE = "lepbench.lock.yaml"


class LockedFile(Config):
    """A file, by its name where it came from; its size in bytes."""

    name: str
    size: int
    sha256: str


class LockedSource(Config):
    """A model of the hub at a commit, or a file of a URL.

    Attributes:
        what: what it is for.
        source: `owner/name`, or a URL.
        revision: the commit; None for a URL.
    """

    what: str
    source: str
    revision: str | None = None
    files: tuple[LockedFile, ...]


class Lockfile(Config):
    """All that an evaluation, or a set of them, has from elsewhere.

    Attributes:
        lepbench: the version that listed it.
        model: path of the MODEL.yaml, or of the SET.yaml.
        suite, protocol: as they were given; None for the suite's own protocol, and for a set, which names its
            own.
    """

    lepbench: str
    model: str
    suite: str | None = None
    protocol: str | None = None
    sources: tuple[LockedSource, ...] = ()


def lock_needs(needs: Sequence[Need], progress: Progress = ignore_progress) -> tuple[LockedSource, ...]:
    """Fetch what is not here, and state what is.

    Raises:
        LepbenchError: one cannot be fetched, or is not what its publisher states.
    """
    return tuple(_lock_need(need, progress) for need in dict.fromkeys(needs) if isinstance(need, Fetchable))


def _lock_need(need: Fetchable, progress: Progress) -> LockedSource:
    files = tuple(LockedFile(**file._asdict()) for file in need.fetch(progress))
    return LockedSource(what=need.what, source=need.source, revision=need.revision, files=files)


def write_lockfile(path: Path, lock: Lockfile) -> None:
    """Write a lockfile."""
    write_text(path, dump_config(lock))


def read_lockfile(path: Path) -> Lockfile:
    """Read a lockfile.

    Raises:
        LepbenchError: it is missing, or holds something else.
    """
    return load_config(path, Lockfile)


def list_revisions(lock: Lockfile) -> dict[str, str]:
    """The commits of the models of the hub, by `owner/name`."""
    return {source.source: source.revision for source in lock.sources if source.revision is not None}


def require_locked(lock: Lockfile, command: str) -> None:
    """Refuse to begin with other files than those of a lockfile.

    Args:
        command: what fetches them.

    Raises:
        LepbenchError: a file is missing or another.
    """
    unlike = list_unlike(lock)
    if unlike:
        raise LepbenchError(f"not the files of the lockfile: {', '.join(unlike)}", f"run {command}")


def list_unlike(lock: Lockfile) -> list[str]:
    """The files of a lockfile that are not here, or are other files here, each with its source."""
    return [
        f"{file.name} of {source.source}"
        for source in lock.sources
        for file in source.files
        if not _is_alike(_find_locked(source, file), file)
    ]


def _find_locked(source: LockedSource, file: LockedFile) -> Path | None:
    if "://" not in source.source:
        folder = find_snapshot(source.source, source.revision)
        return None if folder is None else folder / file.name
    detector = next((name for name, url in PUBLISHED.items() if url == source.source), None)
    return locate_file(source.source, file.sha256) if detector is None else place_of(detector)


def _is_alike(path: Path | None, file: LockedFile) -> bool:
    return path is not None and path.is_file() and hash_large_file(path) == file.sha256
