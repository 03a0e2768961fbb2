"""Whether the columns of `samples.parquet` can be what was counted of pictures."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from lepbench.errors import LepbenchError
from lepbench.evaluation.conditions import CONDITIONS
from lepbench.evaluation.measures.base import select_measures
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.ranges import ANY, find_range, is_within
from lepbench.faults import SHA256
from lepbench.submitted import is_ours

MATCHED = re.compile(r"(?P<kind>\w+)_matched_(?P<side>predicted|target)_.+")
INTERSECTION, UNION = "mask_intersection", "mask_union"
DIGEST = re.compile(SHA256)
UNDEFINED = re.compile(
    r"class_.+|original|level|\w+_accuracy@.+|reads_(sketch|prompt)@.+|strokes_found_.+"
    r"|(stroke|unseen|weighted|others)_recall_.+|weighted_lead_.+"
)
"""Columns that are null, or NaN, where a truth of the item is not known, whatever the picture."""
Fault = tuple[str, int, str]
"""A column, a line of it, and what is there."""


def check_columns(path: Path, samples: pa.Table, protocol: Protocol) -> None:
    """Refuse samples whose numbers no picture gives.

    Args:
        path: of the samples.
        samples: of which none failed.

    Raises:
        LepbenchError: a value is missing, not finite or out of its range; more pixels match than there are;
            or a column is null for one picture of an item and not for another.
    """
    ours = {
        name
        for measure in select_measures(protocol)
        if is_ours(measure)
        for name in measure.columns(protocol)
    }
    for name, line, what in _find_faults(samples, ours, protocol.size**2):
        row, item_id, index = (samples[column][line].as_py() for column in ("row", "item_id", "sample_index"))
        raise LepbenchError(
            f"{path} has {name} {what} in row {row!r}, item {item_id}, sample {index}", "evaluate again"
        )


def _find_faults(samples: pa.Table, ours: Collection[str], pixels: int) -> Iterator[Fault]:
    columns = {name: _read_column(samples, name) for name in samples.column_names}
    if bad := _find(columns["png_sha256"], lambda value: value is None or not DIGEST.fullmatch(value)):
        yield "png_sha256", bad[0], "that is no SHA-256"
    for name, values in columns.items():
        kind = samples.schema.field(name).type
        if name in ours and not UNDEFINED.fullmatch(name):
            yield from ((name, line, "null") for line in _find(values, lambda value: value is None))
        if pa.types.is_floating(kind):
            yield from _find_outside(name, values, name in ours)
        elif pa.types.is_integer(kind) and name in ours:
            yield from _find_wrong_counts(name, values, columns.get(_find_total(name)), pixels)
    yield from _find_holes(columns)


def _read_column(samples: pa.Table, name: str) -> list[Any]:
    values: list[Any] = samples[name].to_pylist()
    return [None if value != value else value for value in values] if UNDEFINED.fullmatch(name) else values


def _find(values: list[Any], is_wrong: Callable[[Any], bool]) -> list[int]:
    return [line for line, value in enumerate(values) if is_wrong(value)]


def _find_outside(name: str, values: list[Any], ours: bool) -> Iterator[Fault]:
    low, high = find_range(name) if ours else ANY
    for line, value in enumerate(values):
        if value is not None and not is_within(value, (low, high)):
            yield name, line, f"{value:g}, no number of {low:g} to {high:g}"


def _find_wrong_counts(
    name: str, values: list[Any], totals: list[Any] | None, pixels: int
) -> Iterator[Fault]:
    """Counts of pixels that are no numbers of them, or more than their total."""
    for line, value in enumerate(values):
        if value is not None and not 0 <= value <= pixels:
            yield name, line, f"{value}, no number of 0 to {pixels} pixels"
        total = None if totals is None else totals[line]
        if value is not None and total is not None and value > total:
            yield name, line, f"{value}, more than its {_find_total(name)} {total}"


def _find_holes(columns: dict[str, list[Any]]) -> Iterator[Fault]:
    """Values that are missing for one picture of an item and not for another."""
    for name in filter(UNDEFINED.fullmatch, columns):
        known: dict[str, bool] = {}
        lines = enumerate(zip(columns["row"], columns["item_id"], columns[name], strict=True))
        for line, (row, item_id, value) in lines:
            # What is compared with another item's sketch has that item's truths.
            own = row in CONDITIONS and CONDITIONS[row].borrows is None
            if own and known.setdefault(item_id, value is not None) != (value is not None):
                yield name, line, f"{'null' if value is None else value}, unlike others of its item,"


def _find_total(name: str) -> str:
    """The column of which one counts a part; empty where it counts none."""
    match = MATCHED.fullmatch(name)
    stem, at, label = name.partition("@")
    if match:
        return f"{match['kind']}_{match['side']}"
    return f"{UNION}{at}{label}" if stem == INTERSECTION else ""
