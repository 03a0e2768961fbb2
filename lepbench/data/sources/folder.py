"""A folder of pictures with captions beside them."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from string import Formatter
from typing import Any, Literal, NamedTuple

from pydantic import field_validator

from lepbench.data.captions import clean_licence
from lepbench.data.corpus import Corpus, Entry, Original, Reason, Rejected
from lepbench.data.metadata import BY_NAME, METADATA, MetadataColumns, MetadataRow, read_metadata
from lepbench.data.sources.base import SOURCES, Source
from lepbench.data.sources.files import ABSOLUTE, find_within, make_distinct, read, read_caption, read_picture
from lepbench.errors import LepbenchError
from lepbench.files import as_text, walk_visible
from lepbench.images import OTHER_SUFFIXES, SUFFIXES

PICTURES = SUFFIXES | OTHER_SUFFIXES
SIDECARS = (".txt", ".TXT", ".caption")
"""Suffixes of captions' files, in place of a picture's or after it: `x.txt`, `x.jpg.txt`, `x.caption`."""
TABLES = frozenset((
    ".arrow", ".caption", ".csv", ".db", ".feather", ".json", ".jsonl", ".ndjson", ".ods", ".parquet",
    ".sqlite", ".tsv", ".txt", ".xls", ".xlsx", ".xml", ".yaml", ".yml",
))  # fmt: skip
"""Suffixes of files that may hold captions."""
OTHER_SOURCES = {"table": {".parquet", ".arrow"}, "webdataset": {".tar"}}
"""Sources of folders without pictures, by the suffixes of their files."""
HOW_CAPTIONED = f"captions come from {', '.join(METADATA)} or a .txt or .caption beside each picture"
SHOWN = 3
"""Unread files that a message names."""
WORDNET = re.compile(r"^n\d{8}[ _-]+(?=\S)")


class FolderEntry(NamedTuple):
    """One entry before it is read: its id, its file within the folder, and its metadata row if it has one."""

    id: str
    file: str
    row: MetadataRow | None


@SOURCES.register("folder")
class Folder(Source):
    """Pictures anywhere below `path`, captioned by metadata files, or by a text file each.

    A `metadata.jsonl`, `metadata.csv` or `metadata.parquet` names pictures relative to its own folder. Rows
    come first, in their order; pictures that none names follow, in the order of their names, and need a
    caption's file, see `SIDECARS`, or a `template`. Hidden files are skipped; symbolic links to files are
    followed if they stay in the folder. An image or image folder that cannot be read, such as a broken link,
    a linked folder or a `.heic`, is a reject.

    Settings: `path`, relative to the working folder; columns of the metadata `image` and `text`, by default
    the first of `FILE_COLUMNS` and `CAPTION_COLUMNS`, `id` and `licence_column`, both optional; `licence` of
    the pictures, for the record; `template`, such as "a photo of a {}", for pictures sorted into folders by
    what they show: {} becomes the words of the folder's name, and captions' files are not looked for.
    """

    name: Literal["folder"] = "folder"
    path: Path
    image: str | None = None
    text: str | None = None
    id: str | None = None
    licence_column: str | None = None
    licence: str = "unknown"
    template: str | None = None

    @property
    def columns(self) -> MetadataColumns:
        """Those of metadata files."""
        return MetadataColumns(self.image, self.text, self.id, self.licence_column)

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
        items = list_items(self.path, self.columns)[:limit]
        if not items:
            raise LepbenchError(f"{self.path} holds no pictures", advise_source(self.path))
        return FolderCorpus(self, items)


class FolderCorpus(Corpus):
    """The items of a `Folder`."""

    def __init__(self, source: Folder, items: list[FolderEntry]) -> None:
        self.source, self.folder, self.items, self.template = source, source.path, items, source.template
        self.name = as_text(source.path.resolve().name)
        self.label, self.licence = f"folder:{self.name}", source.licence
        self.count = len(items)

    def entry(self, number: int) -> Entry:
        item = self.items[number]
        return Entry(item.id, lambda: self._load(item))

    def recipe(self) -> dict[str, Any]:
        settings = self.source.model_dump(mode="json", exclude={"path"})
        return settings | {"folder": self.name, "fingerprint": hash_folder(self.folder, self.items)}

    def explain_no_captions(self) -> str:
        unread = list_unread(self.folder)
        if not unread:
            return ""
        more = f" and {len(unread) - SHOWN} more" if len(unread) > SHOWN else ""
        return f"not read: {', '.join(unread[:SHOWN])}{more}; {HOW_CAPTIONED}"

    def _load(self, item: FolderEntry) -> Original:
        if item.row is not None and item.row.fault:
            raise Rejected(Reason.BAD_ROW, item.row.fault)
        if item.row is None and suffix(item.file) in OTHER_SUFFIXES:
            raise Rejected(Reason.UNKNOWN_KIND, suffix(item.file))
        licence = clean_licence(item.row.licence) if item.row else None
        return Original(read_picture(self.folder, item.file), self._caption(item), licence)

    def _caption(self, item: FolderEntry) -> str:
        if item.row is not None:
            return item.row.text
        if self.template is not None:
            return self.template.format(spell_words(PurePosixPath(item.file).parent.name))
        return read_caption(self.folder, find_sidecar(self.folder, item.file))


def advise_source(folder: Path) -> str:
    """What to do with a folder without pictures: take the source that reads it, or the known suffixes."""
    held = {suffix(name) for name in walk_visible(folder)}
    for source, kinds in OTHER_SOURCES.items():
        if found := sorted(held & kinds):
            return f"its {found[0]} files are read by 'lepbench build-data {source} --set path={folder}'"
    return f"known suffixes are {' '.join(sorted(SUFFIXES))}"


def list_items(folder: Path, columns: MetadataColumns = BY_NAME) -> list[FolderEntry]:
    """All entries of the folder: metadata rows, then images that no row names.

    Raises:
        LepbenchError: a metadata file cannot be used, or two are in one folder.
    """
    pictures, metadata = list_pictures(folder)
    rows = [row for name in metadata for row in place_rows(name, read_metadata(folder / name, columns))]
    files = match_files([row.file_name for row in rows], pictures)
    named = set(files)
    unlisted = [name for name in pictures if name not in named]
    ids = [row.id for row in rows] + unlisted
    entries = zip(make_distinct(ids), [*files, *unlisted], [*rows, *(None for _ in unlisted)], strict=True)
    return [FolderEntry(*entry) for entry in entries]


def place_rows(name: str, rows: Iterable[MetadataRow]) -> Iterator[MetadataRow]:
    """The rows of a metadata file with file names relative to the whole folder, and an id each."""
    place = PurePosixPath(name).parent.as_posix()
    before = "" if place == "." else f"{place}/"
    for row in rows:
        file = (
            f"{before}{row.file_name}"
            if row.file_name and not ABSOLUTE.match(row.file_name)
            else row.file_name
        )
        yield row._replace(file_name=file, id=row.id or file or f"{before}metadata line {row.number}")


def match_files(names: Iterable[str], pictures: Iterable[str]) -> list[str]:
    """The pictures that names mean, in whatever form they are written; a name that means none stays."""
    present = set(pictures)
    alike = {normal_form(picture): picture for picture in pictures}
    plain = ((name, PurePosixPath(name).as_posix()) for name in names)
    return [same if same in present else alike.get(normal_form(name), name) for name, same in plain]


def normal_form(name: str) -> str:
    """A file's name with slashes alone, and its letters composed."""
    return unicodedata.normalize("NFC", PurePosixPath(name.replace("\\", "/")).as_posix())


def list_pictures(folder: Path) -> tuple[list[str], list[str]]:
    """Image files, linked folders among them, and metadata files below a folder, relative to it, sorted.

    Raises:
        LepbenchError: two metadata files are in one folder.
    """
    pictures: list[str] = []
    metadata: dict[str, str] = {}
    for name in walk_visible(folder):
        place, _, file = name.rpartition("/")
        if file in METADATA:
            if other := metadata.get(place):
                raise LepbenchError(f"{folder} holds {other} and {name}", "keep one of them")
            metadata[place] = name
        elif suffix(name) in PICTURES or (folder / name).is_dir():
            pictures.append(name)
    return sorted(pictures), sorted(metadata.values(), key=lambda name: name.split("/")[:-1])


def list_unread(folder: Path) -> list[str]:
    """Files below a folder that may hold captions and are not read: tables, and texts of no picture."""
    names = list(walk_visible(folder))
    pictures = [name for name in names if suffix(name) in PICTURES]
    captions = {name for picture in pictures for name in name_sidecars(picture)}
    return sorted(
        name
        for name in names
        if suffix(name) in TABLES and name not in captions and PurePosixPath(name).name not in METADATA
    )


def suffix(name: str) -> str:
    """The last suffix of a file's name, in small letters."""
    return PurePosixPath(name).suffix.lower()


def spell_words(name: str) -> str:
    """A folder's name as words: a WordNet id before it dropped, underscores made spaces."""
    return WORDNET.sub("", name).replace("_", " ")


def name_sidecars(picture: str) -> list[str]:
    """The names that a caption's file beside a picture may have, the preferred one first."""
    stem = PurePosixPath(picture).with_suffix("").as_posix()
    return [f"{name}{kind}" for kind in SIDECARS for name in (stem, picture)]


def find_sidecar(folder: Path, picture: str) -> str:
    """The name of the caption's file beside a picture; that of a `.txt` where there is none."""
    names = name_sidecars(picture)
    if found := next((name for name in names if os.path.lexists(folder / name)), None):
        return found
    return next((name for name in names if os.path.lexists(find_within(folder, name))), names[0])


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
        size = find_within(folder, item.file).stat().st_size
    except (Rejected, OSError, ValueError):
        return b"-"
    try:
        caption = read(find_within(folder, find_sidecar(folder, item.file))) if item.row is None else b""
    except Rejected:
        caption = b"-"
    return b"%d:%d:" % (size, len(caption)) + caption
