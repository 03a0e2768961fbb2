"""Captions beside images: `metadata.jsonl`, `metadata.csv` and `metadata.parquet`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from lepbench.data.captions import decode_caption, first_text
from lepbench.documents import parse_json
from lepbench.errors import LepbenchError
from lepbench.parquet import read_bounded, report_faults

METADATA = ("metadata.jsonl", "metadata.csv", "metadata.parquet")
"""Names of the files that `datasets` reads for a folder of images, too."""
FILE_COLUMNS = (
    "file_name", "filename", "file", "image", "image_file", "image_name", "image_path", "img", "img_path",
    "path", "filepath", "file_path",
)  # fmt: skip
CAPTION_COLUMNS = (
    "text", "caption", "captions", "prompt", "description", "sentence", "alt_text", "title", "comment",
)  # fmt: skip
"""Columns of image files and of captions if none is chosen, in order of preference."""
LINES = ".jsonl"
DELIMITERS = ",;\t|"
END = "\ufdd0"
"""A line behind the last of a CSV, no character of which a text has: an open field swallows it."""


class MetadataColumns(NamedTuple):
    """The chosen columns; None for those found by name, and for ids and licences that no column holds."""

    image: str | None = None
    text: str | None = None
    id: str | None = None
    licence: str | None = None


BY_NAME = MetadataColumns()


class MetadataRow(NamedTuple):
    """One line of a metadata file; `fault` says what is wrong with one that names no file or no text."""

    number: int
    file_name: str
    text: str
    fault: str = ""
    id: str = ""
    licence: str | None = None


class MetadataRecord(NamedTuple):
    """A line as read: its number, its values by column, and a fault where it has none."""

    number: int
    values: dict[str, Any]
    fault: str = ""


def read_metadata(path: Path, columns: MetadataColumns = BY_NAME) -> list[MetadataRow]:
    """The rows of a metadata file.

    Raises:
        LepbenchError: the file cannot be read, or lacks a column.
    """
    records, names = read_records(path)
    files = find_columns(path, names, columns.image, FILE_COLUMNS)
    texts = find_columns(path, names, columns.text, CAPTION_COLUMNS)
    for column in filter(None, (columns.id, columns.licence)):
        find_columns(path, names, column, ())
    return [make_row(record, files, texts, columns) for record in records]


def read_records(path: Path) -> tuple[list[MetadataRecord], list[str]]:
    """The lines of a table, and its columns.

    Raises:
        LepbenchError: it cannot be read, or is of no known kind.
    """
    if path.suffix.lower() not in READERS:
        raise LepbenchError(f"{path} is no table", f"known suffixes are {' '.join(READERS)}")
    try:
        return READERS[path.suffix.lower()](path)
    except OSError as error:
        raise LepbenchError(
            f"cannot read {path}: {error.strerror or error}", "check the path and its permissions"
        ) from error


def find_columns(path: Path, names: Sequence[str], chosen: str | None, usual: Sequence[str]) -> Sequence[str]:
    """The columns that may hold a file or a caption, the preferred one first.

    Args:
        names: the columns of the file.
        chosen: the column that a person named.

    Raises:
        LepbenchError: there is none. Lines with one key alone are let pass: each is at fault by itself.
    """
    if chosen is not None:
        found = [name for name in names if name == chosen]
    else:
        alike = {name.strip().lower().replace(" ", "_"): name for name in reversed(names)}
        found = [alike[name] for name in usual if name in alike]
    if doubled := next((name for name in found if names.count(name) > 1), None):
        raise LepbenchError(f"{path} has more than one column {doubled!r}", "rename all but one")
    if found:
        return found
    if path.suffix == LINES and len(names) <= 1:
        return [chosen or usual[0]]
    setting = "text" if usual is CAPTION_COLUMNS else "image"
    fix = "check the settings" if chosen else f"choose one of them with --set {setting}=COLUMN"
    listed = ", ".join(names) or "no columns"
    raise LepbenchError(f"{path} has no column {chosen or usual[0]!r}; it has {listed}", fix)


def make_row(
    record: MetadataRecord, files: Sequence[str], texts: Sequence[str], columns: MetadataColumns
) -> MetadataRow:
    """A record as a row."""
    if record.fault:
        return MetadataRow(record.number, "", "", record.fault)
    file, text = find_text(record.values, files), find_text(record.values, texts)
    if not file or text is None:
        lacking = texts[0] if file else files[0]
        keys = ", ".join(str(key) for key, value in record.values.items() if key and value is not None)
        return MetadataRow(record.number, "", "", f"no string {lacking!r} among {keys[:200] or 'nothing'}")
    # An index that pandas wrote is a column without a name.
    name, licence = (
        None if column is None else record.values.get(column) for column in (columns.id, columns.licence)
    )
    return MetadataRow(
        record.number,
        file,
        text,
        id="" if name is None else str(name),
        licence=None if licence is None else str(licence),
    )


def find_text(values: dict[str, Any], columns: Iterable[str]) -> str | None:
    """The first text of these columns that is not blank, else a blank one; None where there is none."""
    texts = [text for column in columns if (text := first_text(values.get(column))) is not None]
    return next((text for text in texts if text.strip()), texts[0] if texts else None)


def _read_text(path: Path) -> str:
    return decode_caption(path.read_bytes())


def _read_lines(path: Path) -> tuple[list[MetadataRecord], list[str]]:
    # Split at line feeds alone: `splitlines` would cut inside strings that hold U+2028.
    lines = enumerate(_read_text(path).split("\n"), start=1)
    records = [_from_line(number, line) for number, line in lines if line.strip()]
    return records, list(dict.fromkeys(key for record in records for key in record.values))


def _from_line(number: int, line: str) -> MetadataRecord:
    try:
        record = parse_json(line)
    except ValueError:
        return MetadataRecord(number, {}, "not JSON")
    if not isinstance(record, dict):
        return MetadataRecord(number, {}, "not a JSON object")
    return MetadataRecord(number, record)


def _read_csv(path: Path) -> tuple[list[MetadataRecord], list[str]]:
    text = _read_text(path).lstrip("\r\n")
    header = text.partition("\n")[0]
    reader = csv.DictReader(
        io.StringIO(f"{text}\n{END}", newline=""), delimiter=max(DELIMITERS, key=header.count)
    )
    try:
        with lift_field_limit():
            names = list(reader.fieldnames or ())
            records = [MetadataRecord(number, record) for number, record in enumerate(reader, start=1)]
            last = records.pop().values if records else {}
    except csv.Error as error:
        raise LepbenchError(f"{path}, line {reader.line_num}: {error}", "correct that line") from error
    if names and last.get(names[0]) != END:
        raise LepbenchError(
            f"{path}: a quotation mark opens a field and none closes it", "close it or double it"
        )
    return records, names


def _read_parquet(path: Path) -> tuple[list[MetadataRecord], list[str]]:
    with report_faults(path, "save it as Parquet again"):
        table = read_bounded(path, fix="save it as Parquet again")
        rows = enumerate(table.to_pylist(), start=1)
    return [MetadataRecord(number, row) for number, row in rows], table.column_names


READERS = {LINES: _read_lines, ".csv": _read_csv, ".tsv": _read_csv, ".parquet": _read_parquet}


@contextmanager
def lift_field_limit() -> Iterator[None]:
    """Temporarily raise the process-wide field limit of `csv`."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)
