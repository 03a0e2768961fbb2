"""A shard: the unit of work of a build, one Parquet file that appears whole or not at all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lepbench.data.corpus import Corpus, Rejected
from lepbench.data.manifest import Recipe, Shard
from lepbench.data.schema import ROW_GROUP, arrow_schema
from lepbench.data.triplet import Picture, edges_of, prepare, row_of
from lepbench.detectors import Detector, identity
from lepbench.files import atomic_path, sha256_file

REJECTED = b"lepbench.rejected"
"""Key of the Parquet metadata that holds a shard's rejects, so that the two cannot part."""


class Reject(NamedTuple):
    """A line of `rejected.jsonl`."""

    id: str
    reason: str
    detail: str


def shard_files(recipe: Recipe) -> list[tuple[str, range]]:
    """The shards of a recipe in order: the file's name, and the numbers of the entries it tries."""
    starts = range(0, recipe.limit, recipe.shard_rows)
    return [
        (
            f"data/{recipe.split}-{number:05d}-of-{len(starts):05d}.parquet",
            range(start, min(start + recipe.shard_rows, recipe.limit)),
        )
        for number, start in enumerate(starts)
    ]


def write_shard(
    path: Path, numbers: range, corpus: Corpus, detector: Detector, size: int, tried: Callable[[int], None]
) -> Shard:
    """Try the entries of these numbers and write those that can be triplets.

    Args:
        tried: told how many more entries have been tried, as the work goes on.

    Returns:
        The shard's record; its `file` is the last two parts of `path`.
    """
    rejects: list[Reject] = []
    edge_pixels = upscaled = rows = 0
    schema = arrow_schema()
    with atomic_path(path) as partial:
        with pq.ParquetWriter(partial, schema, compression="none") as writer:
            for pictures in groups(numbers, corpus, size, rejects, tried):
                edges = edges_of(pictures, detector)
                group = [
                    row_of(p, e, corpus, identity(detector)) for p, e in zip(pictures, edges, strict=True)
                ]
                writer.write_table(pa.Table.from_pylist(group, schema))
                rows += len(group)
                edge_pixels += int(np.count_nonzero(edges))
                upscaled += sum(min(picture.width, picture.height) < size for picture in pictures)
            writer.add_key_value_metadata({REJECTED: json.dumps(rejects).encode()})
        sha256 = sha256_file(partial)
    return Shard(
        file="/".join(path.parts[-2:]),
        entries=len(numbers),
        rows=rows,
        upscaled=upscaled,
        edge_pixels=edge_pixels,
        rejected=dict(sorted(Counter(reject.reason for reject in rejects).items())),
        sha256=sha256,
    )


def groups(
    numbers: range, corpus: Corpus, size: int, rejects: list[Reject], tried: Callable[[int], None]
) -> Iterator[list[Picture]]:
    """Pictures in row groups of `ROW_GROUP`, the last one shorter; what cannot be one joins `rejects`."""
    group: list[Picture] = []
    for number in numbers:
        entry = corpus.entry(number)
        try:
            group.append(prepare(entry, size))
        except Rejected as rejected:
            rejects.append(Reject(entry.id, str(rejected.reason), rejected.detail))
        tried(1)
        if len(group) == ROW_GROUP:
            yield group
            group = []
    if group:
        yield group


def read_rejects(path: Path) -> list[Reject]:
    """What a finished shard left out."""
    metadata = pq.read_metadata(path).metadata
    return [Reject(*fields) for fields in json.loads(metadata[REJECTED])]
