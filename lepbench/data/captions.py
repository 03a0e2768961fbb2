"""Captions beside images: `metadata.jsonl` and `metadata.csv`, and the cleaning of captions."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from lepbench.data.corpus import Reason, Rejected
from lepbench.errors import LepbenchError

# Bytes that are not UTF-8 survive decoding as lone surrogates, so that one bad row does not spoil the file.
LENIENT = "surrogateescape"

LONGEST_LICENCE = 1000
"""Characters of a licence that are kept."""


class MetadataRow(NamedTuple):
    """One line of a metadata file; `fault` says what is wrong with one that names no file or no text."""

    number: int
    file_name: str
    text: str
    fault: str = ""


class Caption(NamedTuple):
    """A cleaned caption, and the applied changes, of `CHANGES`."""

    text: str
    changes: tuple[str, ...] = ()


CHANGES = ("control characters removed", "white space", "composed", "cut")
"""Changes by cleaning: remove control characters (Unicode Cc), collapse white space, normalise
characters (NFC), and truncate at a word beyond the length of any text encoder."""


def clean_caption(caption: str, most: int) -> Caption:
    """A caption on one line, of at most `most` characters.

    Raises:
        Rejected: nothing is left, or it was not UTF-8.
    """
    try:
        caption.encode()
    except UnicodeEncodeError as error:
        raise Rejected(Reason.NOT_UTF8) from error
    visible = "".join(c for c in caption if c.isspace() or unicodedata.category(c) != "Cc")
    line = " ".join(visible.split())
    composed = unicodedata.normalize("NFC", line)
    kept = composed if len(composed) <= most else _cut(composed, most)
    if not kept:
        raise Rejected(Reason.EMPTY_CAPTION)
    # White space at the ends is how text files end.
    steps = (caption.strip(), visible.strip(), line, composed, kept)
    return Caption(
        kept, tuple(name for name, pair in zip(CHANGES, pairwise(steps), strict=True) if len(set(pair)) > 1)
    )


def clean_licence(given: object) -> str | None:
    """An image's licence as stated by its corpus, cleaned like a caption; None if it states none.

    An image is never rejected for its licence: bytes that are not UTF-8 are escaped.
    """
    if given is None:
        return None
    try:
        return clean_caption(str(given).encode(errors="backslashreplace").decode(), LONGEST_LICENCE).text
    except Rejected:
        return None


def _cut(line: str, most: int) -> str:
    """The whole words of the first `most` characters, or those characters where they are one word."""
    head, space, _ = line[: most + 1].rpartition(" ")
    return head if space else line[:most]


def read_metadata(folder: Path) -> list[MetadataRow] | None:
    """The rows of the folder's `metadata.jsonl` or `metadata.csv`; None where it has neither.

    Raises:
        LepbenchError: it has both, the file cannot be read, or the CSV lacks a column.
    """
    found = [path for path in (folder / "metadata.jsonl", folder / "metadata.csv") if path.is_file()]
    if not found:
        return None
    if len(found) == 2:
        raise LepbenchError(f"{folder} holds metadata.jsonl and metadata.csv", "keep one of them")
    try:
        text = found[0].read_bytes().decode("utf-8-sig", LENIENT)
    except OSError as error:
        raise LepbenchError(f"cannot read {found[0]}: {error.strerror}") from error
    return _from_csv(text, found[0]) if found[0].suffix == ".csv" else _from_lines(text)


def _from_lines(text: str) -> list[MetadataRow]:
    # Split at line feeds alone: `splitlines` would cut inside strings that hold U+2028.
    lines = enumerate(text.split("\n"), start=1)
    return [_from_line(number, line) for number, line in lines if line.strip()]


def _from_line(number: int, line: str) -> MetadataRow:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return MetadataRow(number, "", "", "not JSON")
    if not isinstance(record, dict):
        return MetadataRow(number, "", "", "not a JSON object")
    for key in ("file_name", "text"):
        if not isinstance(record.get(key), str):
            return MetadataRow(number, "", "", f"no string {key!r}")
    return MetadataRow(number, record["file_name"], record["text"])


def _from_csv(text: str, path: Path) -> list[MetadataRow]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        with lift_field_limit():
            missing = {"file_name", "text"} - set(reader.fieldnames or ())
            if missing:
                raise LepbenchError(f"{path} has no column {min(missing)!r}", "it needs file_name and text")
            return [_from_record(number, record) for number, record in enumerate(reader, start=1)]
    except csv.Error as error:
        raise LepbenchError(f"{path}, line {reader.line_num}: {error}") from error


@contextmanager
def lift_field_limit() -> Iterator[None]:
    """Temporarily raise the process-wide field limit of `csv`."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _from_record(number: int, record: dict[str, str | None]) -> MetadataRow:
    name, text = record["file_name"], record["text"]
    if not name or text is None:
        return MetadataRow(number, "", "", "no file_name or no text")
    return MetadataRow(number, name, text)
