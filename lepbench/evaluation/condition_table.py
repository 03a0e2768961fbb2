"""A finished condition as its batches lie in files, a file a batch; the pictures lie beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

WORK = ".units"
"""The folder, in that of a run, of the batches that are finished."""


def locate_batch(out: Path, condition: str, number: int) -> Path:
    """Where a batch of a condition lies while a run goes on."""
    return out / WORK / f"{condition}-{number:05d}.parquet"


@dataclass(frozen=True)
class ConditionTable:
    """The rows of a condition.

    Attributes:
        schema: of the rows.
        paths: of the batches, in their order.
    """

    schema: pa.Schema
    paths: Sequence[Path]

    def read_batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Each batch's rows; all columns unless some are named."""
        return (self._read(path, columns) for path in self.paths)

    def read_columns(self, columns: Sequence[str]) -> pa.Table:
        """Columns of all rows."""
        return pa.concat_tables(self.read_batches(columns)).combine_chunks()

    def _read(self, path: Path, columns: Sequence[str] | None) -> pa.Table:
        names = self.schema.names if columns is None else list(columns)
        with pq.ParquetFile(path) as file:
            found = file.read(columns=names)
        return found.select(names).cast(pa.schema([self.schema.field(name) for name in names]))
