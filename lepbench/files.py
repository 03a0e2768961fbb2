"""Bounded reading, atomic file writes, and file hashes."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import platformdirs

from lepbench.documents import MOST_JSON, MOST_VALUES, check_document, parse_json
from lepbench.errors import LepbenchError

CACHE = "LEPBENCH_CACHE"
"""Environment variable for the cache folder."""
SLASHES = re.compile(r"[/\\]")
SYSTEM_NAMES = frozenset(("__macosx", "@eadir", "$recycle.bin", "desktop.ini", "thumbs.db"))
"""Files and folders that operating systems leave beside a person's own, in small letters."""
FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, None))
"""`errno` of a full disk, quota or size limit; None where a library only counts the bytes written."""


def find_cache_folder() -> Path:
    """`$LEPBENCH_CACHE`, or the user's cache folder."""
    chosen = os.environ.get(CACHE)
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("lepbench", appauthor=False))


def is_hidden(path: str) -> bool:
    """Whether a part of a relative path starts with a dot, or is one of `SYSTEM_NAMES`."""
    parts = SLASHES.split(path)
    return any(
        (part.startswith(".") and part not in (".", "..")) or part.lower() in SYSTEM_NAMES for part in parts
    )


def list_visible(folder: Path) -> list[Path]:
    """Files and folders in a folder that are not hidden, sorted.

    Raises:
        LepbenchError: it cannot be listed.
    """
    try:
        return sorted(path for path in folder.iterdir() if not is_hidden(path.name))
    except OSError as error:
        raise explain_unlisted(error) from error


def walk_visible(folder: Path) -> Iterator[str]:
    """Files at any depth below a folder, relative to it; those hidden, or in hidden folders, are passed over.

    Links to folders are not followed, but listed.

    Raises:
        LepbenchError: a folder cannot be listed.
    """

    def refuse(error: OSError) -> None:
        raise explain_unlisted(error) from error

    for root, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not is_hidden(name)]
        links = [name for name in folders if (Path(root) / name).is_symlink()]
        here = Path(root).relative_to(folder)
        yield from ((here / name).as_posix() for name in [*names, *links] if not is_hidden(name))


def explain_unlisted(error: OSError) -> LepbenchError:
    """The error for a folder that cannot be listed."""
    return LepbenchError(f"cannot list {error.filename}: {error.strerror}", "check its permissions")


@contextmanager
def atomic_path(path: Path, lasting: bool = False) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends without an exception.

    A kill at any moment leaves either the old file or the new one, never a part.

    Args:
        lasting: also survive a power failure, which takes about 10 ms and 1 ms per megabyte.

    Raises:
        LepbenchError: it cannot be written, for lack of space or permission.
    """
    make_folder(path.parent)
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise explain_unwritable(path, error) from error
    os.close(descriptor)
    partial = Path(name)
    try:
        yield partial
        partial.chmod(0o644)
        if lasting:
            sync_file(partial, os.O_RDWR)
        partial.replace(path)
        if lasting:
            # The new name is durable after syncing the folder, which not every file system supports.
            with suppress(OSError):
                sync_file(path.parent, os.O_RDONLY)
    except OSError as error:
        # An error of another file, such as one read in the block, is raised to the caller.
        if error.filename not in (None, name, partial):
            raise
        raise explain_unwritable(path, error) from error
    finally:
        partial.unlink(missing_ok=True)


def sync_file(path: Path, how: int) -> None:
    """Flush written data to disk."""
    descriptor = os.open(path, how)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def explain_unwritable(path: Path, error: OSError) -> LepbenchError:
    """The error for a file that cannot be written."""
    room = error.errno in FULL
    fix = "make room, and run the same command again" if room else "choose a writable folder"
    return LepbenchError(f"cannot write {path}: {error.strerror or error}", fix)


def make_folder(folder: Path) -> Path:
    """Create `folder` with its parents and return it.

    Raises:
        LepbenchError: it cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LepbenchError(
            f"cannot create {folder}: {error.strerror}", "choose a writable folder"
        ) from error
    return folder


def as_text(name: str) -> str:
    """A file name as valid Unicode text; bytes that are not UTF-8 are escaped."""
    return name.encode(errors="backslashreplace").decode()


def write_bytes(path: Path, content: bytes, lasting: bool = False) -> None:
    """Write a file atomically; see `atomic_path`."""
    with atomic_path(path, lasting) as partial:
        partial.write_bytes(content)


def link_file(source: Path, target: Path) -> None:
    """Give a file a second name atomically, or copy it where the disk or its system knows no links.

    Raises:
        LepbenchError: it cannot be written.
    """
    with atomic_path(target) as partial:
        partial.unlink()
        try:
            partial.hardlink_to(source)
        except OSError:
            shutil.copyfile(source, partial)


def write_text(path: Path, content: str, lasting: bool = False) -> None:
    """Write a UTF-8 file atomically; see `atomic_path`."""
    write_bytes(path, content.encode(), lasting)


def read_bytes(path: Path, most: int, fix: str) -> bytes:
    """The bytes of a plain file of at most `most`.

    Raises:
        LepbenchError: it is missing, larger, or a pipe or device, which would be waited for; `fix` says what
            to do.
    """
    try:
        kind = path.stat().st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            raise LepbenchError(f"{path} is no plain file", fix)
        with path.open("rb") as stream:
            content = stream.read(most + 1)
    except OSError as error:
        raise LepbenchError(f"cannot read {path}: {error.strerror}", fix) from error
    except ValueError as error:  # a character that no path has
        raise LepbenchError(f"cannot read {path}: {error}", fix) from error
    if len(content) > most:
        raise LepbenchError(f"{path} has more than the {most} bytes that are read of such a file", fix)
    return content


def read_json(path: Path, fix: str, most: int = MOST_VALUES) -> Any:
    """The content of a JSON file.

    Args:
        most: values in it.

    Raises:
        LepbenchError: it cannot be read, is no JSON, or is beyond the bounds of `documents`; `fix` says what
            to do.
    """
    return interpret_json(read_bytes(path, MOST_JSON, fix), str(path), fix, most)


def interpret_json(content: bytes, label: str, fix: str, most: int = MOST_VALUES) -> Any:
    """What a JSON text holds.

    Args:
        label: what to call it in an error.
        most: values in it.

    Raises:
        LepbenchError: as `read_json`.
    """
    try:
        document = parse_json(content, most)
        check_document(document)
    except ValueError as error:
        raise LepbenchError(f"cannot read {label}: not valid JSON: {error}", fix) from error
    return document


def require_within(folder: Path, path: Path) -> None:
    """Refuse a file of a folder that a symbolic link puts elsewhere.

    Raises:
        LepbenchError: it lies outside.
    """
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError) as error:  # a circle of links
        raise LepbenchError(f"cannot read {path}: it is a link to itself", "put the file there") from error
    if not inside:
        raise LepbenchError(f"{path} is a link to a file outside {folder}", "put the file itself there")


def is_file(path: str | Path) -> bool:
    """Whether there is a file; none has a name that is too long, at which `Path.is_file` fails."""
    try:
        return Path(path).is_file()
    except OSError:
        return False


def is_folder(path: str | Path) -> bool:
    """Whether there is a folder; see `is_file`."""
    try:
        return Path(path).is_dir()
    except OSError:
        return False


def format_csv(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """CSV with a header, a line feed after each line."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def sha256_bytes(content: bytes) -> str:
    """SHA-256 of bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def format_bytes(size: int) -> str:
    """A number of bytes in the unit that keeps it below 1000, such as `3.4 GB`."""
    number, units = float(size), ["B", "kB", "MB", "GB", "TB"]
    while number >= 999.95 and len(units) > 1:
        number, units = number / 1000, units[1:]
    return f"{size} B" if units[0] == "B" else f"{number:.1f} {units[0]}"


def measure_folder(folder: Path) -> int:
    """Bytes of the files below a folder; links count nothing, so that a file counts once."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
