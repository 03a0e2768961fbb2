"""The rows of a built set without their pictures: what a choice among them needs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lepbench.data.similar import Hashes, short
from lepbench.errors import LepbenchError
from lepbench.parquet import read_bounded

COLUMNS = ["id", "text", "sha256", "phash", "licence"]
SEVERAL = "several, by item"
"""Licence of a suite whose items differ in it."""
Caption = Literal["first", "longest", "all"]


class Catalogue(NamedTuple):
    """Columns of a set's rows, in their order.

    Attributes:
        ids, licences: texts.
        lengths: of the captions, in characters.
        originals, looks: the first 64 bits of the SHA-256 of the originals, and their perceptual hashes.
        licence: of all rows, if it is one.
    """

    ids: pa.ChunkedArray
    licences: pa.ChunkedArray
    lengths: NDArray[np.int64]
    originals: Hashes
    looks: Hashes
    licence: str

    def name(self, row: int) -> str:
        """The id of a row."""
        return str(self.ids[row].as_py())

    def licence_of(self, row: int) -> str | None:
        """The licence of a row, where it is not that of all."""
        return str(self.licences[row].as_py()) if self.licence == SEVERAL else None


def read_catalogue(paths: Iterable[Path]) -> Catalogue:
    """The rows of a set's shards; some hundred bytes a row.

    Raises:
        LepbenchError: a shard cannot be read.
    """
    try:
        table = pa.concat_tables(read_bounded(path, COLUMNS, fix="build that set again") for path in paths)
        originals, looks = (short(table[key].to_pylist()) for key in ("sha256", "phash"))
    except (OSError, pa.ArrowException, ValueError, LookupError) as error:
        why = " ".join(str(error).split())[:200]
        raise LepbenchError(f"cannot read the set's shards: {why}", "build that set again") from error
    lengths = pc.utf8_length(table["text"]).to_numpy().astype(np.int64)
    known = pc.unique(table["licence"]).to_pylist()
    licence = str(known[0]) if len(known) == 1 else SEVERAL
    return Catalogue(
        ids=table["id"],
        licences=table["licence"],
        lengths=lengths,
        originals=originals,
        looks=looks,
        licence=licence,
    )


def choose_rows(catalogue: Catalogue, caption: Caption | int) -> list[int]:
    """A row of each original, in the order of the rows, or all of them.

    Args:
        caption: the first row of an original, that of the longest caption, or that of a number from 1; the
            last where there are fewer.
    """
    count = len(catalogue.originals)
    if caption == "all":
        return list(range(count))
    # Rows of one original follow each other, those of the wanted order within it.
    within = -catalogue.lengths if caption == "longest" else np.zeros(count, np.int64)
    order = np.lexsort((np.arange(count), within, catalogue.originals))
    new = np.diff(catalogue.originals[order], prepend=np.uint64(0)) != 0
    starts = np.flatnonzero(new | (np.arange(count) == 0))
    ends = np.append(starts[1:], count)
    wanted = starts if isinstance(caption, str) else np.minimum(starts + caption, ends) - 1
    chosen: list[int] = np.sort(order[wanted]).tolist()
    return chosen
