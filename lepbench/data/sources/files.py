"""Files of a corpus: located within its folder and read; every fault becomes a reject reason."""

from __future__ import annotations

import errno
import os
import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Literal

from lepbench.data.captions import decode_caption
from lepbench.data.corpus import Reason, Rejected
from lepbench.files import SLASHES, as_text

MOST_BYTES = 2**28
"""Maximum size of one file."""
LONGEST_DETAIL = 200
"""Characters of a name that a reject shows."""
FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:")


def make_distinct(names: Iterable[str]) -> Iterator[str]:
    """Names as UTF-8 text, each used once: the second of a kind becomes `name#2`."""
    used: set[str] = set()
    times: Counter[str] = Counter()
    for name in names:
        text = unique = as_text(name)
        while unique in used:
            times[text] += 1
            unique = f"{text}#{times[text] + 1}"
        used.add(unique)
        yield unique


def check_inside(name: str) -> None:
    """Refuse a name that is absolute or leaves its folder, on any operating system.

    Raises:
        Rejected: it leaves the folder.
    """
    # Without `pathlib`, whose table of interned parts only grows.
    if ABSOLUTE.match(name) or ".." in SLASHES.split(name):
        raise Rejected(Reason.OUTSIDE)


def resolve_within(folder: Path, name: str) -> Path:
    """The path of `name` in `folder`.

    Raises:
        Rejected: the name is absolute or climbs out, or a symbolic link on its way leads out.
    """
    check_inside(name)
    path = folder / name
    try:
        # Only a link can lead out, and resolving costs ten times as much as looking for one.
        links = any(step.is_symlink() for step in (path, *path.parents[: len(PurePosixPath(name).parts) - 1]))
        inside = not links or path.resolve().is_relative_to(folder.resolve())
    except OSError as error:
        raise Rejected(Reason.UNREADABLE_FILE, error.strerror or "") from error
    except (ValueError, RuntimeError) as error:  # a NUL in the name, or a circle of links
        raise Rejected(Reason.MISSING_FILE) from error
    if not inside:
        raise Rejected(Reason.OUTSIDE)
    return path


def find_within(folder: Path, name: str) -> Path:
    """The path of `name` in `folder`, or of the file that differs from it only in how its name is written.

    On Windows names are written with backslashes; macOS decomposes letters with accents (NFD), which other
    systems compose (NFC).

    Raises:
        Rejected: see `resolve_within`.
    """
    path = resolve_within(folder, name)
    if os.path.lexists(path):
        return path
    found = folder
    for part in SLASHES.split(name):
        spelt = (found / form for form in (part, *(unicodedata.normalize(form, part) for form in FORMS)))
        step = next(filter(os.path.lexists, spelt), None)
        if step is None:
            return path
        found = step
    return resolve_within(folder, found.relative_to(folder).as_posix())


def read(path: Path) -> bytes:
    """A file's bytes.

    Raises:
        Rejected: it is missing, no regular file, too large, or may not be read.
    """
    try:
        state = path.stat()
        # Reading a pipe would block, and a device may never end.
        if not stat.S_ISREG(state.st_mode):
            raise Rejected(Reason.NOT_PLAIN)
        with path.open("rb") as stream:
            content = stream.read(min(state.st_size, MOST_BYTES) + 1)
            if len(content) > state.st_size:  # it has no size, or grew
                content += stream.read(MOST_BYTES + 1 - len(content))
    except (FileNotFoundError, NotADirectoryError):
        raise Rejected(Reason.MISSING_FILE) from None
    except OSError as error:
        if error.errno == errno.ELOOP:  # a circle of links, which `Path.resolve` passes since Python 3.13
            raise Rejected(Reason.MISSING_FILE) from error
        raise Rejected(Reason.UNREADABLE_FILE, error.strerror or "") from error
    except ValueError as error:  # a NUL in the name
        raise Rejected(Reason.MISSING_FILE) from error
    if len(content) > MOST_BYTES:
        raise Rejected(Reason.TOO_LARGE, f"more than {MOST_BYTES} bytes")
    return content


def read_picture(folder: Path, name: str) -> bytes:
    """The bytes of a picture's file in a folder.

    Raises:
        Rejected: see `find_within` and `read`, or it is empty.
    """
    if "://" in name:
        raise Rejected(Reason.NOT_HERE, name[:LONGEST_DETAIL])
    try:
        content = read(find_within(folder, name))
    except Rejected as rejected:
        if rejected.reason in (Reason.MISSING_FILE, Reason.OUTSIDE) and not rejected.detail:
            raise Rejected(rejected.reason, as_text(name)[:LONGEST_DETAIL]) from rejected
        raise
    if not content:
        raise Rejected(Reason.EMPTY_FILE)
    return content


def read_caption(folder: Path, name: str) -> str:
    """The text of a caption's file in a folder; bytes that are not UTF-8 stay as lone surrogates.

    Raises:
        Rejected: there is no such file, which is no caption; or see `find_within` and `read`.
    """
    try:
        return decode_caption(read(find_within(folder, name)))
    except Rejected as rejected:
        if rejected.reason is Reason.MISSING_FILE:
            raise Rejected(Reason.NO_CAPTION, f"no {PurePosixPath(name).name}") from rejected
        raise Rejected(rejected.reason, f"the caption's file: {rejected.detail}".rstrip(": ")) from rejected
