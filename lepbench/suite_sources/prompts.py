"""Which sketch goes with which prompt: a table, or a file beside each sketch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from lepbench.data.captions import decode_caption
from lepbench.data.corpus import Reason
from lepbench.data.metadata import MetadataRecord, read_records
from lepbench.documents import parse_json
from lepbench.errors import LepbenchError
from lepbench.files import as_text, walk_visible
from lepbench.images import SUFFIXES
from lepbench.registry import suggest_name
from lepbench.sketches import svg

COLUMNS = ("sketch", "prompt", "picture", "negative_prompt", "class", "level", "licence", "id")
NEEDED = ("sketch", "prompt")
TABLES = ("prompts.csv", "prompts.tsv", "prompts.jsonl")
SIDECARS = (".json", ".txt")
SKETCHES = SUFFIXES | set(svg.SUFFIXES)
HOW = "write prompts.csv with the columns sketch and prompt, or NAME.txt with a prompt beside each sketch"


class PromptRow(NamedTuple):
    """A sketch with a prompt, as it is written down.

    Attributes:
        place: where it is written, for messages.
        values: texts by `COLUMNS`, of those that are filled; files relative to the folder.
        fault: why it cannot be used, with a detail; None if it can.
    """

    place: str
    values: Mapping[str, str]
    fault: tuple[Reason, str] | None = None

    @property
    def sketch(self) -> str:
        """The sketch's file; empty where the row names none."""
        return self.values.get("sketch", "")


def read_prompts(folder: Path, table: Path | None) -> list[PromptRow]:
    """The rows of a folder's table, or of the files beside its sketches.

    Args:
        table: the table, in the folder or from the working folder; one of `TABLES` in the folder if there is
            one.

    Raises:
        LepbenchError: there is no row, or a table or a file beside a sketch has a wrong key.
    """
    if not folder.is_dir():
        raise LepbenchError(f"{folder} is not a folder", "check the path")
    path = find_table(folder, table)
    rows = list(read_sidecars(folder) if path is None else read_table(path))
    if not rows:
        raise LepbenchError(f"{path or folder} holds no prompts", HOW)
    return rows


def find_table(folder: Path, table: Path | None) -> Path | None:
    """The table of a folder; None if it has none.

    Raises:
        LepbenchError: the one that is named is not there, or there are several.
    """
    if table is not None:
        found = [path for path in (folder / table, table) if path.is_file()]
        if not found:
            raise LepbenchError(f"no table {table} in {folder} or here", "check the setting table")
        return found[0]
    found = [folder / name for name in TABLES if (folder / name).is_file()]
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise LepbenchError(f"{folder} holds {names}", "choose one with --set table=FILE")
    return found[0] if found else None


def read_table(path: Path) -> Iterator[PromptRow]:
    """The rows of a table (CSV, TSV, JSON lines or Parquet).

    Raises:
        LepbenchError: it cannot be read, lacks a column, or has one that is unknown or doubled.
    """
    records, names = drop_unnamed(*read_records(path))
    columns = {name: name.strip().lower() for name in names}
    check_keys(path, columns.values())
    if len(set(columns.values())) < len(names):
        raise LepbenchError(f"{path} has a column twice", "rename all but one")
    for column in NEEDED:
        if names and column not in columns.values():
            raise LepbenchError(f"{path} has no column {column!r}", f"it has {', '.join(names)}")
    for record in records:
        place = f"{path.name} row {record.number}"
        if record.fault or None in record.values:
            fault = record.fault or "it has more cells than the header"
            yield PromptRow(place, {}, (Reason.BAD_ROW, fault))
        else:
            yield make_row(place, {columns[key]: value for key, value in record.values.items()})


def drop_unnamed(
    records: Sequence[MetadataRecord], names: Sequence[str]
) -> tuple[list[MetadataRecord], list[str]]:
    """A table without the columns that have no name and hold nothing, as spreadsheets write."""
    blank = {name for name in names if not name.strip()}
    if any(str(record.values.get(name) or "").strip() for record in records for name in blank):
        blank = set()
    kept = [
        record._replace(values={key: value for key, value in record.values.items() if key not in blank})
        for record in records
    ]
    return kept, [name for name in names if name not in blank]


def check_keys(path: Path, keys: Iterable[str]) -> None:
    """Refuse a key that is none of `COLUMNS`.

    Raises:
        LepbenchError: there is one; the message suggests the nearest.
    """
    for key in keys:
        if key not in COLUMNS:
            fix = suggest_name(key, COLUMNS) if key.strip() else "name it, or remove it"
            raise LepbenchError(f"{path} has unknown column {key!r}", fix)


def make_row(place: str, given: Mapping[str, Any]) -> PromptRow:
    """Values by `COLUMNS` as a row; what is empty is left out, and numbers become texts."""
    for key, value in given.items():
        if not isinstance(value, str | int | float | None):
            return PromptRow(place, {}, (Reason.BAD_ROW, f"{key} is no text"))
    values = {key: str(value) for key, value in given.items() if value is not None and str(value).strip()}
    for key in ("sketch", "picture", "class", "level", "licence", "id", "negative_prompt"):
        if key in values:
            values[key] = as_text(values[key].strip())
    lacking = [key for key in NEEDED if key not in values]
    fault = (Reason.BAD_ROW, f"no {lacking[0]}") if lacking else None
    return PromptRow(place, values, fault)


def read_sidecars(folder: Path) -> list[PromptRow]:
    """The prompts in files beside sketches, NAME.json or NAME.txt; a sketch without one is at fault.

    Pictures that such a file names are no sketches.

    Raises:
        LepbenchError: a file has a key that is unknown.
    """
    names = sorted(walk_visible(folder), key=lambda name: name.split("/"))
    present = set(names)
    rows: list[PromptRow] = []
    for name in names:
        path = PurePosixPath(name)
        if path.suffix.lower() not in SKETCHES:
            continue
        beside = [other for suffix in SIDECARS if (other := path.with_suffix(suffix).as_posix()) in present]
        rows += read_sidecar(folder, name, beside[0] if beside else None)
    pictures = {row.values["picture"] for row in rows if "picture" in row.values}
    return [row for row in rows if row.fault is None or row.sketch not in pictures]


def read_sidecar(folder: Path, sketch: str, sidecar: str | None) -> Iterator[PromptRow]:
    """The rows of a sketch: of a text each line, of JSON the object, or each of a list.

    Raises:
        LepbenchError: a key is unknown.
    """
    known = {"sketch": sketch}
    if sidecar is None:
        why = f"no {PurePosixPath(sketch).stem}.txt or .json beside it"
        yield PromptRow(sketch, known, (Reason.NO_CAPTION, why))
        return
    try:
        written = _parse(decode_caption((folder / sidecar).read_bytes()), sidecar)
    except (OSError, ValueError) as error:
        yield PromptRow(sketch, known, (Reason.BAD_ROW, f"{sidecar}: {error}"))
        return
    for one in written or [{}]:
        check_keys(folder / sidecar, one)
        inside = PurePosixPath(sidecar).parent
        # What is no text is refused by `make_row`.
        named = one.get("picture")
        place = {"picture": (inside / named).as_posix()} if isinstance(named, str) and named.strip() else {}
        yield make_row(sketch, {**one, **known, **place})


def _parse(text: str, name: str) -> list[dict[str, Any]]:
    """The lines of a text, or the objects of a JSON text, of which one with a list of prompts is one each.

    Raises:
        ValueError: the JSON is something else.
    """
    if not name.endswith(".json"):
        return [{"prompt": line} for line in text.splitlines() if line.strip()]
    document = parse_json(text)
    found: list[dict[str, Any]] = []
    for one in document if isinstance(document, list) else [document]:
        if not isinstance(one, dict):
            raise ValueError("not a JSON object")
        prompts = one["prompt"] if isinstance(one.get("prompt"), list) else [one.get("prompt")]
        found += [{**one, "prompt": prompt} for prompt in prompts]
    return found


def mark_repeated(rows: Iterable[PromptRow]) -> list[PromptRow]:
    """Rows, those at fault that say what an earlier one does; one with an id of its own is meant to."""
    first: dict[frozenset[tuple[str, str]], PromptRow] = {}
    marked = []
    for row in rows:
        earlier = first.setdefault(frozenset(row.values.items()), row)
        repeated = earlier is not row and row.fault is None
        marked.append(row._replace(fault=(Reason.DUPLICATE, earlier.place)) if repeated else row)
    return marked


def name_items(rows: Iterable[PromptRow], table: str) -> list[str]:
    """An id for each row: its own, or its sketch's path, numbered from the second use on.

    Raises:
        LepbenchError: two rows have the same id of their own.
    """
    listed = list(rows)
    own: dict[str, str] = {}
    for row in listed:
        if (known := row.values.get("id")) is not None:
            if known in own:
                raise LepbenchError(
                    f"{table} has id {known!r} twice: {own[known]} and {row.place}", "give each its own"
                )
            own[known] = row.place
    bases = {_base(row) for row in listed}
    used: set[str] = set(own)
    names = []
    for row in listed:
        name, number = row.values.get("id") or _base(row), 1
        while "id" not in row.values and (name in used or (number > 1 and name in bases)):
            number += 1
            name = f"{_base(row)}-{number}"
        used.add(name)
        names.append(name)
    return names


def _base(row: PromptRow) -> str:
    """What a row without an id is named by."""
    return PurePosixPath(row.sketch).with_suffix("").as_posix() if row.sketch else row.place
