"""A folder of pictures with captions beside them."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal, NamedTuple

from lepbench.data.captions import LENIENT, Row, read_metadata
from lepbench.data.corpus import Corpus, Entry, Original, Reason, Rejected
from lepbench.data.sources.base import SOURCES, Source
from lepbench.errors import LepbenchError
from lepbench.images import SUFFIXES


class Item(NamedTuple):
    """One entry before it is read: its id, its file within the folder, and its metadata row if it has one."""

    id: str
    file: str
    row: Row | None


@SOURCES.register("folder")
class Folder(Source):
    """Pictures anywhere below `path`, captioned by `metadata.jsonl`, `metadata.csv`, or a `.txt` each.

    With a metadata file its rows come first, in its order; pictures that it does not name follow, in the
    order of their names, and need a `.txt` of the same name. Hidden files are passed over; symbolic links to
    files are followed.

    Settings: `path`, relative to the working folder; `licence` of the pictures, for the record.
    """

    name: Literal["folder"] = "folder"
    path: Path
    licence: str = "unknown"

    def open(self, size: int, limit: int | None) -> Corpus:
        if not self.path.is_dir():
            raise LepbenchError(f"{self.path} is not a folder", "check the path")
        items = list_items(self.path)[:limit]
        if not items:
            raise LepbenchError(
                f"{self.path} holds no pictures", f"known suffixes are {' '.join(sorted(SUFFIXES))}"
            )
        return Pictures(self, items)


class Pictures(Corpus):
    """The items of a `Folder`."""

    def __init__(self, source: Folder, items: list[Item]) -> None:
        self.folder, self.items = source.path, items
        self.name = source.path.resolve().name
        self.label, self.licence = f"folder:{self.name}", source.licence
        self.count = len(items)

    def entry(self, number: int) -> Entry:
        item = self.items[number]
        return Entry(item.id, lambda: self._load(item))

    def recipe(self) -> dict[str, Any]:
        return {
            "name": "folder",
            "folder": self.name,
            "licence": self.licence,
            "fingerprint": fingerprint(self.folder, self.items),
        }

    def _load(self, item: Item) -> Original:
        if item.row is not None and item.row.fault:
            raise Rejected(Reason.BAD_ROW, item.row.fault)
        path = within(self.folder, item.file)
        caption = sidecar(path) if item.row is None else item.row.text
        content = read(path)
        if not content:
            raise Rejected(Reason.EMPTY_FILE)
        return Original(content, caption)


def list_items(folder: Path) -> list[Item]:
    """Everything the folder claims to hold: metadata rows, then pictures that no row names."""
    rows = read_metadata(folder) or []
    named = [row.file_name or f"metadata line {row.number}" for row in rows]
    listed = {PurePosixPath(name).as_posix() for name in named}
    unlisted = [name for name in pictures(folder) if name not in listed]
    files = [*named, *unlisted]
    return [
        Item(name, file, rows[i] if i < len(rows) else None)
        for i, (name, file) in enumerate(zip(distinct(files), files, strict=True))
    ]


def pictures(folder: Path) -> list[str]:
    """Paths of the picture files below a folder, relative to it and sorted; hidden ones are passed over."""
    found = []
    for root, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        here = Path(root)
        found += [here / n for n in names if not n.startswith(".") and Path(n).suffix.lower() in SUFFIXES]
    return sorted(path.relative_to(folder).as_posix() for path in found if path.is_file())


def _refuse(error: OSError) -> None:
    raise LepbenchError(f"cannot list {error.filename}: {error.strerror}", "check its permissions") from error


def distinct(names: Iterable[str]) -> Iterator[str]:
    """Names as UTF-8 text, each used once: the second of a kind becomes `name#2`."""
    used: set[str] = set()
    times: Counter[str] = Counter()
    for name in names:
        # What is not UTF-8 in a file's name is kept as an escape.
        text = unique = name.encode(errors="backslashreplace").decode()
        while unique in used:
            times[text] += 1
            unique = f"{text}#{times[text] + 1}"
        used.add(unique)
        yield unique


def within(folder: Path, name: str) -> Path:
    """The path of `name` in `folder`.

    Raises:
        Rejected: the name is absolute or climbs out.
    """
    for plain in (PurePosixPath(name), PureWindowsPath(name)):
        if plain.is_absolute() or ".." in plain.parts:
            raise Rejected(Reason.OUTSIDE)
    return folder / name


def read(path: Path) -> bytes:
    """A file's bytes.

    Raises:
        Rejected: it is missing, no regular file, or may not be read.
    """
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise Rejected(Reason.MISSING_FILE) from None
    except OSError as error:
        raise Rejected(Reason.UNREADABLE_FILE, error.strerror or "") from error
    except ValueError as error:  # a NUL in the name
        raise Rejected(Reason.MISSING_FILE) from error


def sidecar(picture: Path) -> str:
    """The text of the `.txt` beside a picture.

    Raises:
        Rejected: there is none.
    """
    try:
        return read(picture.with_suffix(".txt")).decode("utf-8-sig", LENIENT)
    except Rejected as rejected:
        raise Rejected(Reason.NO_CAPTION, "neither a metadata row nor a .txt") from rejected


def fingerprint(folder: Path, items: Iterable[Item]) -> str:
    """SHA-256 over names, captions and pictures' sizes: a folder that changed is not taken for the same.

    Pictures are not read: that would cost as much as a good part of the build. What became of them, the hash
    of the data tells.
    """
    running = hashlib.sha256()
    for item in items:
        parts = [item.id, *(map(str, item.row) if item.row else ())]
        for part in parts:
            running.update(part.encode(errors="surrogatepass") + b"\0")
        running.update(_state(folder, item))
    return running.hexdigest()


def _state(folder: Path, item: Item) -> bytes:
    """The picture's size in bytes and, where no row captions it, the sidecar's text."""
    try:
        path = within(folder, item.file)
        size = path.stat().st_size
    except (Rejected, OSError, ValueError):
        return b"-"
    try:
        caption = read(path.with_suffix(".txt")) if item.row is None else b""
    except Rejected:
        caption = b"-"
    return b"%d:%d:" % (size, len(caption)) + caption
