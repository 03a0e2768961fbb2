"""Rejection of duplicates, of images of excluded sets, and of edge maps with too few or too many edges."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from lepbench.config import Config
from lepbench.data.corpus import Reason
from lepbench.data.manifest import MANIFEST, load_manifest
from lepbench.data.similar import Hashes, first_of_kind, near_pairs, perceptual_hash, short
from lepbench.errors import LepbenchError
from lepbench.files import sha256_bytes
from lepbench.images import encode_png

KEYS = ["id", "text", "sha256", "phash"]


class Hygiene(Config):
    """Rejection rules for usable entries.

    Settings: `duplicates`, "keep" all, reject "exact" ones (the same original with the same caption), or
    "near" ones too (another original with a similar hash); `distance`, bits of 64 by which the perceptual
    hashes of near duplicates may differ; `min_edges` and `max_edges`, bounds of the share of an
    image's pixels that lie on an edge; `exclude`, sets whose images are rejected: folders made by
    `build-data`, or suites.
    """

    duplicates: Literal["keep", "exact", "near"] = "exact"
    distance: int = Field(default=4, ge=0, le=16)
    min_edges: float = Field(default=1e-4, ge=0, le=1)
    max_edges: float = Field(default=0.5, ge=0, le=1)
    exclude: tuple[Path, ...] = ()


class Drop(NamedTuple):
    """A rejected row, by its number in the set, and the reason."""

    row: int
    reason: Reason
    detail: str


class Keys(NamedTuple):
    """Keys of all rows for comparison: ids, captions, hashes and perceptual hashes of originals."""

    ids: pa.ChunkedArray
    pairs: Hashes
    originals: Hashes
    looks: Hashes


class Excluded(NamedTuple):
    """The pictures of another set, by both hashes, and its name."""

    name: str
    identity: str
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


def find_drops(keys: Keys, hygiene: Hygiene, excluded: Sequence[Excluded]) -> list[Drop]:
    """The rejected rows, in order.

    A row is compared only with kept rows, and the first of each group is kept: the result for a set
    is unchanged if rejected rows are already removed.
    """
    leaked = _leaked(keys, hygiene.distance, excluded)
    alive = np.array([row for row in range(len(keys.pairs)) if row not in leaked], np.int64)
    found = [*leaked.values()]
    if hygiene.duplicates != "keep":
        again = _repeated(keys, alive)
        found += again
        gone = {drop.row for drop in again}
        alive = np.array([row for row in alive if row not in gone], np.int64)
    if hygiene.duplicates == "near":
        found += _alike(keys, alive, hygiene.distance)
    return sorted(found)


def _leaked(keys: Keys, distance: int, excluded: Sequence[Excluded]) -> dict[int, Drop]:
    found: dict[int, Drop] = {}
    for other in excluded:
        for row in np.flatnonzero(np.isin(keys.originals, other.originals)).tolist():
            found.setdefault(row, Drop(row, Reason.LEAKED, f"the same original as in {other.name}"))
        for row, _ in near_pairs(keys.looks, other.looks, distance):
            found.setdefault(row, Drop(row, Reason.LEAKED, f"looks like one in {other.name}"))
    return found


def _repeated(keys: Keys, alive: np.ndarray) -> list[Drop]:
    _, first, inverse = np.unique(keys.pairs[alive], return_index=True, return_inverse=True)
    earliest = alive[first[inverse]]
    return [
        Drop(int(row), Reason.DUPLICATE, str(keys.ids[int(kept)]))
        for row, kept in zip(alive, earliest, strict=True)
        if row != kept
    ]


def _alike(keys: Keys, alive: np.ndarray, distance: int) -> list[Drop]:
    stands = alive[first_of_kind(keys.looks[alive], distance)] if len(alive) else alive
    # Several captions of one original are several rows, which are not duplicates of each other.
    return [
        Drop(int(row), Reason.NEAR_DUPLICATE, str(keys.ids[int(kept)]))
        for row, kept in zip(alive, stands, strict=True)
        if keys.originals[row] != keys.originals[kept]
    ]


def read_excluded(place: Path) -> Excluded:
    """The pictures of a folder made by `build-data`, or of a suite, by its name or folder.

    Raises:
        LepbenchError: it is neither, or unfinished, or a shard of it cannot be read.
    """
    if (place / MANIFEST).is_file():
        return _built(place)
    from lepbench.suites import load_suite

    try:
        suite = load_suite(str(place))
    except LepbenchError as error:
        raise LepbenchError(f"nothing to exclude in {place}", "give a built folder or a suite") from error
    # All there are, and not the default number: any of them may be scored.
    every = suite.items(suite.definition.items)
    pictures = [item.image for item in every if item.image is not None]
    # A rendered image is identified by its pixels, one read from a file by its bytes.
    originals = [
        digest for p in pictures for digest in (sha256_bytes(p.tobytes()), sha256_bytes(encode_png(p)))
    ]
    looks = np.fromiter((perceptual_hash(picture) for picture in pictures), np.uint64)
    return Excluded(suite.definition.name, suite.definition.items_sha256, short(originals), looks)


def _built(place: Path) -> Excluded:
    manifest = load_manifest(place)
    if manifest.sha256 is None:
        raise LepbenchError(f"{place} is unfinished", "finish that build first")
    for shard in manifest.shards:
        if not (place / shard.file).is_file():
            raise LepbenchError(f"cannot compare with {place}: it lacks {shard.file}", "build that set again")
    try:
        keys = read_keys(place / shard.file for shard in manifest.shards)
    except (OSError, pa.ArrowException, ValueError, LookupError) as error:
        why = " ".join(str(error).split())[:200]
        raise LepbenchError(f"cannot compare with {place}: {why}", "build that set again") from error
    return Excluded(place.resolve().name, manifest.sha256, keys.originals, keys.looks)
