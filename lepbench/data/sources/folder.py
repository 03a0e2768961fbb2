"""A folder of pictures with captions beside them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from string import Formatter
from typing import Any, Literal, NamedTuple

from pydantic import field_validator

from lepbench.data.captions import MetadataRow, read_metadata
from lepbench.data.corpus import Corpus, Entry, Original, Reason, Rejected
from lepbench.data.sources.base import SOURCES, Source
from lepbench.data.sources.files import make_distinct, read, read_caption, read_picture, resolve_within
from lepbench.errors import LepbenchError
from lepbench.files import as_text, walk_visible
from lepbench.images import SUFFIXES

OTHER_SUFFIXES = frozenset((
    ".apng", ".arw", ".bpg", ".cr2", ".cr3", ".crw", ".dcm", ".dds", ".dib", ".dng", ".emf", ".eps",
    ".exr", ".hdr", ".heic", ".heif", ".icns", ".ico", ".j2c", ".j2k", ".jif", ".jpc", ".jpe", ".jpeg2",
    ".jpf", ".jpx", ".jxl", ".jxr", ".nef", ".nrw", ".orf", ".pcx", ".pef", ".pfm", ".pnm", ".psb",
    ".psd", ".qoi", ".raf", ".raw", ".rw2", ".sgi", ".srw", ".svg", ".svgz", ".wmf", ".xbm", ".xcf",
    ".xpm",
))  # fmt: skip
"""Files that hold pictures, too, of kinds that are not read."""
PICTURES = SUFFIXES | OTHER_SUFFIXES
WORDNET = re.compile(r"^n\d{8}[ _-]+(?=\S)")


class FolderEntry(NamedTuple):
    """One entry before it is read: its id, its file within the folder, and its metadata row if it has one."""

    id: str
    file: str
    row: MetadataRow | None


@SOURCES.register("folder")
class Folder(Source):
    """Pictures anywhere below `path`, captioned by `metadata.jsonl`, `metadata.csv`, or a `.txt` each.

    With a metadata file its rows come first, in its order; pictures that it does not name follow, in the
    order of their names, and need a `.txt` of the same name, or a `template`. Hidden files are skipped;
    symbolic links to files are followed if they stay in the folder. An image or image folder
    that cannot be read, such as a broken link, a linked folder or a `.heic`, is a reject.

    Settings: `path`, relative to the working folder; `licence` of the pictures, for the record; `template`,
    such as "a photo of a {}", for pictures sorted into folders by what they show: {} becomes the words of the
    folder's name, and `.txt` files are not looked for.
    """

    name: Literal["folder"] = "folder"
    path: Path
    licence: str = "unknown"
    template: str | None = None

    @field_validator("template")
    @classmethod
    def _one_place(cls, template: str | None) -> str | None:
        try:
            places = [] if template is None else [place for _, place, _, _ in Formatter().parse(template)]
        except ValueError:
            places = []
        if template is not None and [place for place in places if place is not None] != [""]:
            raise ValueError("a template has {} once, where the words go")
        return template

    def open(self, size: int, limit: int | None) -> Corpus:
        if not self.path.is_dir():
            raise LepbenchError(f"{self.path} is not a folder", "check the path")
        items = list_items(self.path)[:limit]
        if not items:
            raise LepbenchError(
                f"{self.path} holds no pictures", f"known suffixes are {' '.join(sorted(SUFFIXES))}"
            )
        return FolderCorpus(self, items)


class FolderCorpus(Corpus):
    """The items of a `Folder`."""

    def __init__(self, source: Folder, items: list[FolderEntry]) -> None:
        self.folder, self.items, self.template = source.path, items, source.template
        self.name = as_text(source.path.resolve().name)
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
            "template": self.template,
            "fingerprint": hash_folder(self.folder, self.items),
        }

    def _load(self, item: FolderEntry) -> Original:
        if item.row is not None and item.row.fault:
            raise Rejected(Reason.BAD_ROW, item.row.fault)
        if item.row is None and suffix(item.file) in OTHER_SUFFIXES:
            raise Rejected(Reason.UNKNOWN_KIND, suffix(item.file))
        return Original(read_picture(self.folder, item.file), self._caption(item))

    def _caption(self, item: FolderEntry) -> str:
        if item.row is not None:
            return item.row.text
        if self.template is not None:
            return self.template.format(spell_words(PurePosixPath(item.file).parent.name))
        return read_caption(self.folder, name_sidecar(item.file))


def list_items(folder: Path) -> list[FolderEntry]:
    """All entries of the folder: metadata rows, then images that no row names."""
    rows = read_metadata(folder) or []
    named = [row.file_name or f"metadata line {row.number}" for row in rows]
    listed = {PurePosixPath(name).as_posix() for name in named}
    unlisted = [name for name in list_pictures(folder) if name not in listed]
    files = [*named, *unlisted]
    return [
        FolderEntry(name, file, rows[i] if i < len(rows) else None)
        for i, (name, file) in enumerate(zip(make_distinct(files), files, strict=True))
    ]


def list_pictures(folder: Path) -> list[str]:
    """Paths of image files below a folder, and of links to folders, relative to it and sorted."""
    return sorted(
        name for name in walk_visible(folder) if suffix(name) in PICTURES or (folder / name).is_dir()
    )


def suffix(name: str) -> str:
    """The last suffix of a file's name, in small letters."""
    return PurePosixPath(name).suffix.lower()


def spell_words(name: str) -> str:
    """A folder's name as words: a WordNet id before it dropped, underscores made spaces."""
    return WORDNET.sub("", name).replace("_", " ")


def name_sidecar(picture: str) -> str:
    """The name of the `.txt` beside a picture."""
    return PurePosixPath(picture).with_suffix(".txt").as_posix()


def hash_folder(folder: Path, items: Iterable[FolderEntry]) -> str:
    """SHA-256 over names, captions and file sizes, to detect a changed folder.

    Images are not read, which would take a large part of the build time; the hash of
    the data covers them.
    """
    running = hashlib.sha256()
    for item in items:
        parts = [item.id, *(map(str, item.row) if item.row else ())]
        for part in parts:
            running.update(part.encode(errors="surrogatepass") + b"\0")
        running.update(_state(folder, item))
    return running.hexdigest()


def _state(folder: Path, item: FolderEntry) -> bytes:
    """The picture's size in bytes and, where no row captions it, the sidecar's text."""
    try:
        size = resolve_within(folder, item.file).stat().st_size
    except (Rejected, OSError, ValueError):
        return b"-"
    try:
        caption = read(resolve_within(folder, name_sidecar(item.file))) if item.row is None else b""
    except Rejected:
        caption = b"-"
    return b"%d:%d:" % (size, len(caption)) + caption
