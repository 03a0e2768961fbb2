"""Random access to the triplets of a built folder."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, overload

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lepbench.data.manifest import Manifest, load_manifest
from lepbench.errors import LepbenchError
from lepbench.images import Pixels, read_pixels
from lepbench.parquet import check_types, report_faults

AGAIN = "run the build-data command again"
COLUMNS = ["id", "image", "conditioning_image", "text"]
PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
SCHEMA = pa.schema(
    [("id", pa.string()), ("image", PICTURE), ("conditioning_image", PICTURE), ("text", pa.string())]
)
"""Of `COLUMNS`, as `make_arrow_schema` has them, which has to import `datasets`."""


class Triplet(NamedTuple):
    """A picture uint8 [H, W, 3], its edges, its caption, and its name in the corpus.

    Edges are bool [H, W], or uint8 where they were built soft, 255 for the strongest.
    """

    id: str
    image: Pixels
    edges: NDArray[np.bool_] | NDArray[np.uint8]
    text: str


def decode_row(row: dict[str, Any]) -> Triplet:
    """A row as stored, with its pictures decoded.

    Raises:
        LepbenchError: it lacks a text or a picture, or one that cannot be decoded.
    """
    pictures: list[Any] = [(row[name] or {}).get("bytes") for name in ("image", "conditioning_image")]
    if None in (*pictures, row["id"], row["text"]):
        raise LepbenchError(f"triplet {row['id']!r} lacks a picture, or its text", AGAIN)
    image, edges = (read_pixels(content) for content in pictures)
    return Triplet(row["id"], image, edges, row["text"])


class TripletBatch(NamedTuple):
    """B triplets: pictures uint8 [B, H, W, 3], edges bool or uint8 [B, H, W]."""

    ids: list[str]
    images: Pixels
    edges: NDArray[np.bool_] | NDArray[np.uint8]
    texts: list[str]


class Triplets(Sequence[Triplet]):
    """Random access to a folder that `lepbench build-data` finished.

    Args:
        manifest: of the folder, if already loaded.

    Attributes:
        identity: hash over the shards' hashes as the manifest states it; equal data, equal identity.
        detector: identity of the detector that drew the edges.
        size: side of the pictures, px; None where they have many.

    Raises:
        LepbenchError: no manifest, an unfinished build, or a shard that is missing or not the manifest's.
    """

    def __init__(self, folder: Path, manifest: Manifest | None = None) -> None:
        manifest = load_manifest(folder) if manifest is None else manifest
        if manifest.sha256 is None:
            raise LepbenchError(f"{folder} is unfinished", "run the same build-data command again")
        self.identity: str = manifest.sha256
        self.detector: str = manifest.recipe.detector
        self.size: int | None = manifest.recipe.size
        self._paths = [folder / shard.file for shard in manifest.shards]
        # Where each row group lies (shard, group within it), and the number of its first row.
        self._places: list[tuple[int, int]] = []
        self._starts: list[int] = []
        self._length = 0
        for number, shard in enumerate(manifest.shards):
            for group, rows in enumerate(_rows_of_groups(self._paths[number], shard.rows)):
                self._places.append((number, group))
                self._starts.append(self._length)
                self._length += rows
        self._file = lru_cache(maxsize=16)(self._open)
        self._group = lru_cache(maxsize=4)(self._read_group)

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Triplet: ...
    @overload
    def __getitem__(self, index: slice) -> list[Triplet]: ...
    def __getitem__(self, index: int | slice) -> Triplet | list[Triplet]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return decode_row(self.row(index))

    def batch(self, indices: Iterable[int]) -> TripletBatch:
        """The triplets at `indices`, stacked in that order."""
        ids, images, edges, texts = zip(*(self[i] for i in indices), strict=True)
        return TripletBatch(list(ids), np.stack(images), np.stack(edges), list(texts))

    def row(self, index: int) -> dict[str, Any]:
        """One row as stored: `id`, `text`, and both pictures as `{"bytes": encoded, "path": None}`."""
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"triplet {index} of {len(self)}")
        group = bisect.bisect_right(self._starts, place) - 1
        with report_faults(self._paths[self._places[group][0]], AGAIN):
            row: dict[str, Any] = self._group(group).slice(place - self._starts[group], 1).to_pylist()[0]
        return row

    def _open(self, shard: int) -> pq.ParquetFile:
        return pq.ParquetFile(self._paths[shard], memory_map=True)

    def _read_group(self, group: int) -> pa.Table:
        shard, within = self._places[group]
        return self._file(shard).read_row_group(within, columns=COLUMNS)


def _rows_of_groups(path: Path, expected: int) -> list[int]:
    """The row counts of a shard's row groups, checked against the manifest's total."""
    try:
        metadata = pq.read_metadata(path)
    except (OSError, pa.ArrowException) as error:
        raise LepbenchError(f"cannot read shard {path}: {error}", AGAIN) from error
    check_types(path, metadata.schema.to_arrow_schema(), SCHEMA, needed=COLUMNS, fix=AGAIN)
    if metadata.num_rows != expected:
        raise LepbenchError(f"{path} is not the shard its manifest names", AGAIN)
    return [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
