"""Freeze a suite: its rows into one Parquet file, row by row, and its definition beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from lepbench.config import dump_config
from lepbench.files import atomic_path, sha256_file, write_text
from lepbench.suites.definition import DEFINITION, TRUTHS, SuiteDefinition, Truth
from lepbench.suites.items import SCHEMA
from lepbench.suites.scenes import find_label
from lepbench.suites.suite import ITEMS

GROUP = 16 << 20
"""Bytes of a row group: one is read to see an item."""
LEAST_ROWS = 8
OF_ALL: dict[Truth, str] = {
    "picture": "image",
    "contours": "contour",
    "mask": "mask",
    "strokes": "strokes",
    "scene": "scene",
    "original": "original",
    "whole": "whole",
    "weights": "weight",
    "prompt_label": "prompt_label",
}
"""Truths that a suite holds where every row has the column."""
ItemRow = dict[str, Any]


class FrozenItems(NamedTuple):
    """What was written of rows.

    Attributes:
        rows: how many.
        filled: how many of them fill each column.
        labelled: whether the class of any is known.
        sha256: of the file.
    """

    rows: int
    filled: Counter[str]
    labelled: bool
    sha256: str

    def list_truths(self, edges: bool) -> tuple[Truth, ...]:
        """What is known of every item, and the class if it is known of any.

        Args:
            edges: the sketches are the maps of the suite's detector.
        """
        whole = {column for column in OF_ALL.values() if 0 < self.rows == self.filled[column]}
        known: set[Truth] = {truth for truth, column in OF_ALL.items() if column in whole}
        known |= {"label"} if self.labelled else set()
        known |= {"edges"} if edges else set()
        return tuple(truth for truth in TRUTHS if truth in known)


def freeze_suite(
    folder: Path, rows: Iterable[ItemRow], *, edges: bool = False, **about: Any
) -> SuiteDefinition:
    """Write rows as a suite's items, in this order, and its definition.

    Args:
        rows: of `SCHEMA`; a column that no row fills is not written.
        edges: the sketches are the maps of `detector` on the pictures.
        about: the definition's other fields; `truths` follow from the rows unless they, or a `kind` that
            implies them, are given.
    """
    return define_suite(folder, write_items(folder, rows), edges=edges, **about)


def define_suite(folder: Path, items: FrozenItems, *, edges: bool = False, **about: Any) -> SuiteDefinition:
    """Write the definition of items that are written; see `freeze_suite`."""
    if about.get("truths") is None and about.get("kind") is None:
        about["truths"] = items.list_truths(edges)
    definition = SuiteDefinition(**about, items=items.rows, items_sha256=items.sha256)
    write_text(folder / DEFINITION, dump_config(definition, defaults=False))
    return definition


def write_items(folder: Path, rows: Iterable[ItemRow]) -> FrozenItems:
    """Write rows as a suite's Parquet file; memory holds one row group.

    Where the rows raise, nothing is written. Rows come once and tell only at their end which columns they
    fill, so they are written with all columns first, and copied without the empty ones.
    """
    path = folder / ITEMS
    with atomic_path(path) as partial, _beside(partial) as whole:
        filled: Counter[str] = Counter()
        labelled = False
        with pq.ParquetWriter(whole, SCHEMA, compression="none") as writer:
            for group in _group_rows(rows):
                filled.update(name for row in group for name in SCHEMA.names if row.get(name) is not None)
                labelled |= any(row.get("label") or find_label(row.get("scene") or "") for row in group)
                writer.write_table(pa.Table.from_pylist(group, SCHEMA))
        _copy_columns(whole, partial, [name for name in SCHEMA.names if filled[name]])
    return FrozenItems(filled["item_id"], filled, labelled, sha256=sha256_file(path))


@contextmanager
def _beside(partial: Path) -> Iterator[Path]:
    """A second temporary path, whose file is removed in the end."""
    whole = partial.with_name(f"{partial.name}.whole")
    try:
        yield whole
    finally:
        whole.unlink(missing_ok=True)


def _group_rows(rows: Iterable[ItemRow]) -> Iterator[list[ItemRow]]:
    """Rows in groups of about `GROUP` bytes, and of `LEAST_ROWS` at least but for the last."""
    group: list[ItemRow] = []
    size = 0
    for row in rows:
        group.append(row)
        size += sum(len(value) for value in row.values() if isinstance(value, str | bytes))
        if size >= GROUP and len(group) >= LEAST_ROWS:
            yield group
            group, size = [], 0
    if group:
        yield group


def _copy_columns(source: Path, target: Path, columns: list[str]) -> None:
    """Copy a Parquet file, group by group, with some of its columns."""
    schema = pa.schema([SCHEMA.field(name) for name in columns])
    with pq.ParquetFile(source) as file, pq.ParquetWriter(target, schema, compression="none") as writer:
        for group in range(file.num_row_groups):
            writer.write_table(file.read_row_group(group, columns=columns))
