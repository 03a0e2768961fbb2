"""Tables: local or hub Parquet files, or any data set that `datasets` can open."""

from __future__ import annotations

import bisect
import os
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property, lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from lepbench.data.captions import clean_licence
from lepbench.data.corpus import Corpus, Entry, Original, Reason, Rejected
from lepbench.data.sources.base import SOURCES, Source
from lepbench.data.sources.cells import (
    can_hold_captions,
    can_hold_pictures,
    check_column,
    is_string,
    read_caption,
    read_encoded,
    read_labels,
    refuse_addresses,
    unwrap_type,
)
from lepbench.data.sources.files import read_picture
from lepbench.data.sources.splits import SplitName, alike, select_split
from lepbench.errors import LepbenchError
from lepbench.files import as_text, sha256_bytes, walk_visible

PARQUET, ARROW = ".parquet", ".arrow"
ARROW_FILE = b"ARROW1"
"""First bytes of an Arrow file of random access; Feather files are such."""
OPEN_FILES = 8
LOOKED_AT = 64
"""Rows of which the pictures are looked at before a build."""
FOOTER_END = 8
"""Bytes at the end of a Parquet file, after its metadata: their length and the magic number."""


@SOURCES.register("table")
class Table(Source):
    """Rows of Parquet files, or of a data set of `datasets`, each with a picture and a caption.

    `path` is a Parquet file or a folder of them, read a row group at a time; a folder of `save_to_disk`, or
    an Arrow file in it; or a hub id. With `streaming` a hub id's Parquet files are read remotely,
    without being downloaded. If the names of a folder's files or folders contain splits, those of `split` are
    read.

    Settings: `path`; `split`, for data sets that have some, and for the record; `config` and `revision` of a
    data set of the hub; columns `image` (encoded bytes, base64 or a data URL of them, a struct with `bytes`
    and `path`, or the name of a file beside the table), `text` (a string, a list of which the first is taken,
    or a label of `datasets`, of which the name is taken), `id` and `licence_column`, both optional;
    `licence` of rows without.
    """

    name: Literal["table"] = "table"
    path: str
    split: SplitName = "train"
    config: str | None = None
    revision: str | None = None
    image: str = "image"
    text: str = "text"
    id: str | None = None
    licence_column: str | None = None
    licence: str = "unknown"
    streaming: bool = False

    def open(self, size: int, limit: int | None) -> Corpus:
        where = Path(self.path)
        if where.suffix == PARQUET and where.is_file():
            return ParquetRows(self, [self.path], limit)
        if where.is_dir() and (files := list_parquet(where)):
            chosen = select_split(files, self.split, self.path)
            return ParquetRows(self, [str(where / file) for file in chosen], limit)
        if where.is_dir() or (where.suffix == ARROW and where.is_file()):
            return ArrowRows(self, limit)
        # The names of data sets may hold dots, too.
        if where.exists() or where.suffix in (PARQUET, ARROW) or where.is_absolute():
            raise LepbenchError(
                f"no table {self.path}", "give Parquet or Arrow files, a folder of them or a hub id"
            )
        return ParquetRows(self, list_hub_files(self), limit) if self.streaming else ArrowRows(self, limit)

    @property
    def columns(self) -> list[str]:
        """Those that are read."""
        return [column for column in (self.image, self.text, self.id, self.licence_column) if column]

    def check(self, schema: pa.Schema, place: str) -> None:
        """Refuse a table that lacks a column, or has one of a type that cannot serve.

        Raises:
            LepbenchError: it does.
        """
        for column in self.columns:
            if column not in schema.names:
                raise LepbenchError(
                    f"{place} has no column {column!r}", f"name one of: {', '.join(sorted(schema.names))}"
                )
            if schema.names.count(column) > 1:
                raise LepbenchError(f"{place} has more than one column {column!r}", "rename all but one")
        labels = read_labels(schema)

        def can_caption(field: pa.Field) -> bool:
            return field.name in labels or can_hold_captions(field.type)

        check_column(schema, self.image, "pictures", lambda field: can_hold_pictures(field.type), place=place)
        check_column(schema, self.text, "captions", can_caption, place=place)


class TableCorpus(Corpus):
    """Rows of a table as entries; a subclass reads them."""

    def __init__(self, source: Table, rows: int, schema: pa.Schema, limit: int | None) -> None:
        if not rows:
            raise LepbenchError(f"{source.path} holds no rows", "check the path and the split")
        self.source, self.split, self.licence = source, source.split, source.licence
        self.caption_label = read_labels(schema).get(source.text)
        if is_string(unwrap_type(schema.field(source.image).type)):
            # A name that is not UTF-8 spoils its own row alone, later.
            with suppress(UnicodeDecodeError):
                refuse_addresses(self.first_pictures(), source.image, source.path)
        self.label = f"table:{Path(source.path).name if Path(source.path).exists() else source.path}"
        self.count = rows if limit is None else min(rows, limit)

    def row(self, number: int) -> dict[str, Any]:
        """The wanted columns of a row; pictures as they are stored."""
        raise NotImplementedError

    def first_pictures(self) -> list[Any]:
        """The first cells of the column of pictures, at most `LOOKED_AT`."""
        raise NotImplementedError

    def fingerprint(self) -> str:
        """Hash that identifies the table."""
        raise NotImplementedError

    def folder(self, number: int) -> Path | None:
        """Folder of the files that a row names; None if there is none."""
        return None

    def entry(self, number: int) -> Entry:
        # Row numbers are part of the name, since the id column may have repeated values.
        name = f"{self.split}-{number:09d}"
        if self.source.id is not None:
            name += f" {self.row(number)[self.source.id]}"
        return Entry(as_text(name), lambda: self._load(number))

    def recipe(self) -> dict[str, Any]:
        settings = self.source.model_dump(mode="json", exclude={"path", "streaming"})
        return settings | {"table": self.label, "fingerprint": self.fingerprint()}

    def _load(self, number: int) -> Original:
        row = self.row(number)
        licence = row[self.source.licence_column] if self.source.licence_column else None
        caption = read_caption(row[self.source.text], self.caption_label)
        return Original(self._picture(row[self.source.image], number), caption, clean_licence(licence))

    def _picture(self, cell: Any, number: int) -> bytes:
        """The bytes a cell holds, or those of the file it names."""
        found = read_encoded(cell)
        if isinstance(found, bytes):
            return found
        folder = self.folder(number)
        if folder is None:
            raise Rejected(Reason.MISSING_FILE)
        return read_picture(folder, found)


class ParquetRows(TableCorpus):
    """Rows of Parquet files, read by row groups; the last one is cached."""

    def __init__(self, source: Table, files: list[str], limit: int | None) -> None:
        self.files = files
        opened = [open_checked(source, file) for file in files]
        metadata = [file.metadata for file in opened]
        # Of every row group of all files: which it is, and the number of the row after its last.
        self.groups = [(n, g) for n, m in enumerate(metadata) for g in range(m.num_row_groups)]
        rows = [m.row_group(g).num_rows for m in metadata for g in range(m.num_row_groups)]
        self.ends = list(accumulate(rows))
        self.contents = [f"{footer_sha256(file)} {as_text(Path(file).name)}" for file in files]
        super().__init__(source, self.ends[-1] if self.ends else 0, opened[0].schema_arrow, limit)

    def row(self, number: int) -> dict[str, Any]:
        group = bisect.bisect_right(self.ends, number)
        start = self.ends[group - 1] if group else 0
        try:
            row: dict[str, Any] = self._group(group).slice(number - start, 1).to_pylist()[0]
        except UnicodeDecodeError as error:
            raise Rejected(Reason.NOT_UTF8) from error
        return row

    def first_pictures(self) -> list[Any]:
        column = self.source.image
        batches = open_parquet(self.files[0]).iter_batches(LOOKED_AT, columns=[column])
        return next((batch.column(column).to_pylist() for batch in batches), [])

    def fingerprint(self) -> str:
        return sha256_bytes("\n".join(self.contents).encode())

    def folder(self, number: int) -> Path | None:
        file = self.files[self.groups[bisect.bisect_right(self.ends, number)][0]]
        return None if "://" in file else Path(file).parent

    def __getstate__(self) -> dict[str, Any]:
        """State without open files; each process opens its own."""
        return {key: value for key, value in vars(self).items() if not key.startswith("_")}

    @cached_property
    def _file(self) -> Any:
        return lru_cache(maxsize=OPEN_FILES)(open_parquet)

    @cached_property
    def _group(self) -> Any:
        def read(group: int) -> pa.Table:
            number, within = self.groups[group]
            return self._file(self.files[number]).read_row_group(within, columns=self.source.columns)

        return lru_cache(maxsize=1)(read)


class ArrowRows(TableCorpus):
    """Rows of a data set opened by `datasets`: memory-mapped, downloaded first from the hub."""

    def __init__(self, source: Table, limit: int | None) -> None:
        self.opened = open_dataset(source)
        super().__init__(source, len(self.opened), self.opened.features.arrow_schema, limit)

    def row(self, number: int) -> dict[str, Any]:
        try:
            row: dict[str, Any] = self.opened[number]
        except UnicodeDecodeError as error:
            raise Rejected(Reason.NOT_UTF8) from error
        return row

    def first_pictures(self) -> list[Any]:
        return list(self.opened[:LOOKED_AT][self.source.image])

    def fingerprint(self) -> str:
        table = self.opened.data
        return sha256_bytes(f"{table.num_rows} {table.nbytes} {table.schema}".encode())


def list_parquet(folder: Path) -> list[str]:
    """Parquet files below a folder, relative to it, folder by folder."""
    return sorted(
        (name for name in walk_visible(folder) if name.endswith(PARQUET)), key=lambda n: n.split("/")
    )


def open_parquet(file: str) -> pq.ParquetFile:
    """A local or remote Parquet file.

    Raises:
        LepbenchError: it cannot be read.
    """
    import fsspec

    try:
        return pq.ParquetFile(fsspec.open(file).open() if "://" in file else file)
    except (OSError, UnicodeEncodeError, pa.ArrowException) as error:  # Arrow takes no name that is not UTF-8
        raise LepbenchError(f"cannot read {as_text(file)}: {error}", "check the path") from error


def open_checked(source: Table, file: str) -> pq.ParquetFile:
    """A Parquet file with the columns that a source wants.

    Raises:
        LepbenchError: it cannot be read, or its columns cannot serve.
    """
    opened = open_parquet(file)
    source.check(opened.schema_arrow, file)
    return opened


def footer_sha256(file: str) -> str:
    """The hash of a Parquet file's metadata: the places, sizes and least and greatest values of its columns.

    Raises:
        LepbenchError: it cannot be read.
    """
    import fsspec

    try:
        with fsspec.open(file).open() if "://" in file else Path(file).open("rb") as stream:
            end = stream.seek(-FOOTER_END, os.SEEK_END)
            length = int.from_bytes(stream.read(4), "little")
            stream.seek(end - length)
            return sha256_bytes(stream.read(length))
    except OSError as error:
        raise LepbenchError(f"cannot read {as_text(file)}: {error}", "check the path") from error


def choose_split(splits: Mapping[str, Any], source: Table) -> Any:
    """The split of a saved data set that a source names.

    Raises:
        LepbenchError: it has no such split.
    """
    name = alike(splits, source.split)
    if name is None:
        fix = f"choose one of: {', '.join(map(str, splits))}"
        raise LepbenchError(f"{source.path!r} has no split {source.split!r}", fix)
    return splits[name]


def open_dataset(source: Table) -> Any:
    """A split with its pictures undecoded and no column but the wanted ones.

    Raises:
        LepbenchError: there is none, or it lacks a column.
    """
    import datasets

    try:
        if (Path(source.path) / "state.json").is_file() or (
            Path(source.path) / "dataset_dict.json"
        ).is_file():
            found = datasets.load_from_disk(source.path)
        elif Path(source.path).suffix == ARROW:
            require_stream(Path(source.path))
            found = datasets.Dataset.from_file(source.path)
        else:
            found = datasets.load_dataset(
                source.path, source.config, split=source.split, revision=source.revision
            )
        if isinstance(found, datasets.DatasetDict):
            found = choose_split(found, source)
    except LepbenchError:
        raise
    except Exception as error:  # hub, network, builders and file systems each raise their own
        raise LepbenchError(
            f"cannot open {source.path!r}, split {source.split!r}: {in_short(error)}",
            "check path, split and config, or the connection",
        ) from error
    # A format such as torch, which a data set keeps, would make tensors of cells.
    found = found.with_format(None)
    source.check(found.features.arrow_schema, source.path)
    found = found.select_columns(source.columns)
    if isinstance(found.features[source.image], datasets.Image):
        found = found.cast_column(source.image, datasets.Image(decode=False))
    return found


def require_stream(path: Path) -> None:
    """Refuse an Arrow file of random access: those of `datasets` are streams.

    Raises:
        LepbenchError: it is one.
    """
    with path.open("rb") as file:
        if file.read(len(ARROW_FILE)) == ARROW_FILE:
            raise LepbenchError(
                f"{path} is in Arrow's file format, and only its stream format is read", "write it as Parquet"
            )


def list_hub_files(source: Table) -> list[str]:
    """The addresses of a hub data set's Parquet files of the split, as `datasets` finds them.

    Raises:
        LepbenchError: it cannot be reached, has several configurations and none is chosen, or has no such
            files.
    """
    import datasets

    try:
        builder = datasets.load_dataset_builder(source.path, source.config, revision=source.revision)
    except Exception as error:
        raise LepbenchError(
            f"cannot list {source.path!r} on the hub: {in_short(error)}",
            "check name, config and revision, or the connection",
        ) from error
    found = builder.config.data_files or {}
    split = alike(found, source.split)
    files = [str(file) for file in found[split] if str(file).endswith(PARQUET)] if split else []
    if not files:
        raise LepbenchError(
            f"{source.path!r} has no Parquet files of split {source.split!r}",
            f"of splits it has {', '.join(map(str, found)) or 'none'}; or set streaming: false",
        )
    return files


def in_short(error: Exception) -> str:
    """The message of an error of `datasets`, on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}".rstrip(": ")
