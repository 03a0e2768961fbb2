"""Verify a triplet folder against its manifest and records: bytes, rows and rejects."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lepbench.data.build import REJECTED
from lepbench.data.manifest import MANIFEST, Manifest, Shard, hash_shards, load_manifest, sum_counts
from lepbench.data.shards import AGAIN, ShardRecord, ShardSpec, plan_shards, read_record
from lepbench.errors import LepbenchError
from lepbench.files import sha256_file
from lepbench.progress import Progress

"""Told (what, done, total)."""


def finished(folder: Path) -> Manifest:
    """The manifest of a folder that `lepbench build-data` finished.

    Raises:
        LepbenchError: there is none, it cannot be read, or the build is unfinished.
    """
    manifest = load_manifest(folder)
    if manifest.sha256 is None:
        raise LepbenchError(f"{folder} is unfinished", "run the same build-data command again")
    return manifest


def check(folder: Path, progress: Progress) -> Manifest:
    """Read every shard and record of a finished folder, and compare them with its manifest.

    Args:
        progress: called with (stage, done, total) as shards are read.

    Returns:
        The verified manifest.

    Raises:
        LepbenchError: naming the first file that differs, or the folder is unfinished.
    """
    manifest = finished(folder)
    planned = check_manifest(folder, manifest)
    rejects = "".join(
        reject.model_dump_json() + "\n"
        for piece, shard in zip(planned, manifest.shards, strict=True)
        for reject in check_record(folder, piece, shard).rejects
    )
    if read(folder / REJECTED) != rejects.encode():
        raise LepbenchError(f"{folder / REJECTED} differs from the rejects of the records", AGAIN)
    check_shards(folder, manifest, progress)
    return manifest


def check_manifest(folder: Path, manifest: Manifest) -> list[ShardSpec]:
    """Check that the manifest has the shards of its recipe and that its counts are their sums."""
    recipe, shards = manifest.recipe, manifest.shards
    # Few shards may be said to be parts of any number.
    planned = plan_shards(recipe) if len(shards) == -(-recipe.limit // recipe.shard_rows) else []
    agree = {
        "recipe_sha256": manifest.recipe_sha256 == recipe.sha256,
        "shards": [(shard.file, shard.entries) for shard in shards]
        == [(piece.data, piece.entries) for piece in planned],
        "written": manifest.written == sum(shard.rows for shard in shards),
        "rejected": manifest.rejected == sum_counts(shard.rejected for shard in shards),
        "sha256": manifest.sha256 == hash_shards(shards),
        "flags": manifest.flags == sum_counts(shard.flags for shard in shards),
    }
    for key, agrees in agree.items():
        if not agrees:
            raise LepbenchError(f"{folder / MANIFEST} does not agree with itself: {key}", AGAIN)
    return planned


def check_record(folder: Path, piece: ShardSpec, shard: Shard) -> ShardRecord:
    """The record of a shard, which must agree with the manifest and account for every entry."""
    path = folder / piece.record
    record = read_record(folder, piece)
    if record.shard != shard:
        raise LepbenchError(f"{path} differs from {MANIFEST}", AGAIN)
    left_out = Counter(str(reject.reason) for reject in record.rejects)
    if shard.entries != shard.rows + left_out.total():
        raise LepbenchError(
            f"{path} counts {shard.entries} entries, {shard.rows} rows and {left_out.total()} rejects", AGAIN
        )
    if shard.rejected != left_out:
        raise LepbenchError(f"{path} does not count its own rejects", AGAIN)
    return record


def check_shards(folder: Path, manifest: Manifest, progress: Progress) -> None:
    """Every shard has the hash and the rows that the manifest states."""
    for done, shard in enumerate(manifest.shards, start=1):
        path = folder / shard.file
        try:
            digest = sha256_file(path)
        except OSError as error:
            raise unreadable(path, error) from error
        if digest != shard.sha256:
            raise LepbenchError(f"{path} differs from {MANIFEST}: its hash is another", AGAIN)
        if (rows := rows_of(path)) != shard.rows:
            raise LepbenchError(f"{path} differs from {MANIFEST}: it holds {rows} rows", AGAIN)
        progress("shards checked", done, len(manifest.shards))


def rows_of(path: Path) -> int:
    """How many rows a Parquet file says it holds."""
    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, pa.ArrowException) as error:
        raise LepbenchError(f"{path} is no Parquet file: {error}", AGAIN) from error


def read(path: Path) -> bytes:
    """The bytes of a file of the folder."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> LepbenchError:
    """The error for a file that is missing or cannot be opened."""
    return LepbenchError(f"cannot read {path}: {error.strerror}", AGAIN)
