"""A finished condition as its batches lie in files; pictures are read when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from lepbench.evaluation.sample import OK, Sample
from lepbench.files import atomic_path

PICTURE = "png"
"""The column of the encoded images, far larger than all others together."""


class Piece(NamedTuple):
    """Where a batch lies: a row group of a Parquet file."""

    path: Path
    group: int


class StoredPicture(NamedTuple):
    """An encoded image and its hash."""

    png: bytes
    sha256: str


@dataclass(frozen=True)
class ConditionTable:
    """The rows of a condition: a piece a batch.

    Attributes:
        schema: of the rows, images included.
        pieces: in the order of the batches.
    """

    schema: pa.Schema
    pieces: Sequence[Piece]

    def read_batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Each batch's rows; all columns unless some are named."""
        return (self._read(piece, columns) for piece in self.pieces)

    def read_columns(self, columns: Sequence[str]) -> pa.Table:
        """Columns of all rows."""
        return pa.concat_tables(self.read_batches(columns)).combine_chunks()

    def find_picture(self, sample: Sample) -> StoredPicture:
        """The image of a sample.

        Raises:
            RuntimeError: there is none, since it failed.
        """
        place = self._places.get((sample.item_id, sample.index))
        if place is None:
            raise RuntimeError("the picture that it is made of failed")
        piece, row = place
        png, digest = self._open(piece)
        return StoredPicture(png[row], digest[row])

    @cached_property
    def _places(self) -> dict[tuple[str, int], tuple[int, int]]:
        """Batch and row of every image that there is, by item and index."""
        places = {}
        for number, batch in enumerate(self.read_batches(("item_id", "sample_index", "status"))):
            for row, line in enumerate(batch.to_pylist()):
                if line["status"] == OK:
                    places[line["item_id"], line["sample_index"]] = (number, row)
        return places

    @cached_property
    def _opened(self) -> dict[int, tuple[list[Any], list[Any]]]:
        return {}

    def _open(self, number: int) -> tuple[list[Any], list[Any]]:
        """The images and hashes of a batch; those of the last batch stay in memory."""
        if number not in self._opened:
            batch = self._read(self.pieces[number], (PICTURE, "png_sha256"))
            self._opened.clear()
            self._opened[number] = (batch[PICTURE].to_pylist(), batch["png_sha256"].to_pylist())
        return self._opened[number]

    def _read(self, piece: Piece, columns: Sequence[str] | None) -> pa.Table:
        names = self.schema.names if columns is None else list(columns)
        with pq.ParquetFile(piece.path) as file:
            found = file.read_row_group(piece.group, columns=names)
        return found.select(names).cast(pa.schema([self.schema.field(name) for name in names]))


def write_batches(path: Path, table: ConditionTable) -> None:
    """Write a condition into one file, a row group a batch, atomically."""
    with atomic_path(path) as partial, pq.ParquetWriter(partial, table.schema) as writer:
        for batch in table.read_batches():
            writer.write_table(batch, row_group_size=max(len(batch), 1))
