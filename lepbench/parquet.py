"""Parquet files that anybody may have written: columns of known types, read within a bound of memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lepbench.errors import LepbenchError

MOST_BYTES = 1 << 28
"""Bytes, once decoded, of what is read at once: a few bytes of a file may stand for any number."""
BATCH = 1024
"""Rows that are decoded together."""


@contextmanager
def report_faults(path: Path, fix: str) -> Iterator[None]:
    """Say in one line what Arrow raises over a file.

    Raises:
        LepbenchError: the file is missing, damaged, or holds values that are none.
    """
    try:
        yield
    except (OSError, ValueError, LookupError, OverflowError, pa.ArrowException) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise LepbenchError(f"cannot read {path}: {said}", fix) from error


def read_bounded(
    path: Path, columns: Sequence[str] | None = None, *, groups: Sequence[int] | None = None, fix: str
) -> pa.Table:
    """Columns of a Parquet file, of some row groups or of all.

    Raises:
        LepbenchError: it cannot be read, or holds more than `MOST_BYTES`.
    """
    with report_faults(path, fix), pq.ParquetFile(path) as file:
        schema = file.schema_arrow if columns is None else _select(file.schema_arrow, columns)
        batches, size = [], 0
        for batch in file.iter_batches(BATCH, row_groups=groups, columns=schema.names):
            batches.append(batch)
            size += batch.nbytes
            if size > MOST_BYTES:
                raise LepbenchError(f"{path} holds more than {MOST_BYTES} bytes of what is read at once", fix)
        return pa.Table.from_batches(batches, schema)


def _select(schema: pa.Schema, columns: Sequence[str]) -> pa.Schema:
    if lacking := [name for name in columns if name not in schema.names]:
        raise KeyError(f"it has no column {lacking[0]!r}")
    return pa.schema([schema.field(name) for name in columns])


def read_schema(path: Path, fix: str) -> tuple[pa.Schema, int]:
    """The columns of a Parquet file and the number of its rows, from its footer.

    Raises:
        LepbenchError: it cannot be read.
    """
    with report_faults(path, fix), pq.ParquetFile(path) as file:
        return file.schema_arrow, int(file.metadata.num_rows)


def check_types(path: Path, found: pa.Schema, wanted: pa.Schema, *, needed: Sequence[str], fix: str) -> None:
    """Refuse columns of other types than those of the same name that are wanted.

    Args:
        needed: names that must be there.

    Raises:
        LepbenchError: one is missing, of another type, or there twice.
    """
    for name in needed:
        if name not in found.names:
            raise LepbenchError(f"{path} has no column {name!r}", fix)
    for name in wanted.names:
        kinds = [field.type for field in found if field.name == name]
        if len(kinds) > 1:
            raise LepbenchError(f"{path} has the column {name!r} twice", fix)
        if kinds and kinds[0] != wanted.field(name).type:
            raise LepbenchError(
                f"{path}: column {name!r} holds {kinds[0]}, not {wanted.field(name).type}", fix
            )


def require_values(path: Path, table: pa.Table | pa.RecordBatch, names: Sequence[str], fix: str) -> None:
    """Refuse columns with empty cells.

    Raises:
        LepbenchError: a column of these names has one.
    """
    for name in names:
        if table[name].null_count:
            raise LepbenchError(f"{path}: column {name!r} has empty cells", fix)
