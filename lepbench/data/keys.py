"""What the rows of a built set are compared by."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lepbench.data.similar import Hashes, short
from lepbench.files import sha256_bytes

KEYS = ["id", "text", "sha256", "phash"]


class Keys(NamedTuple):
    """Keys of all rows for comparison: ids, captions, hashes and perceptual hashes of originals."""

    ids: pa.ChunkedArray
    pairs: Hashes
    originals: Hashes
    looks: Hashes


def read_keys(paths: Iterable[Path]) -> Keys:
    """The keys of all rows of a set, in order; some hundred bytes a row."""
    parts = [_keys(pq.read_table(path, columns=KEYS)) for path in paths]
    ids, *hashes = zip(*parts, strict=True)
    chunks = [chunk for column in ids for chunk in column.chunks]
    return Keys(pa.chunked_array(chunks, pa.string()), *(np.concatenate(column) for column in hashes))


def _keys(table: pa.Table) -> Keys:
    columns = (table[key].to_pylist() for key in ("text", "sha256", "phash"))
    texts, originals, looks = columns
    pairs = [sha256_bytes(f"{one} {text}".encode()) for one, text in zip(originals, texts, strict=True)]
    return Keys(table["id"], short(pairs), short(originals), short(looks))
