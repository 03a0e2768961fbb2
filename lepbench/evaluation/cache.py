"""Cache of reference conditions between runs, keyed by the hash of everything they depend on."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lepbench.errors import LepbenchError
from lepbench.evaluation.condition_runner import write_table
from lepbench.evaluation.sample import OK, Batch
from lepbench.files import sha256_bytes


def recall_table(folder: Path, key: str, schema: pa.Schema, batches: list[Batch]) -> pa.Table | None:
    """A cached condition, or None if it is missing or damaged: samples and images are checked."""
    path = folder / f"{key}.parquet"
    try:
        if not path.is_file():
            return None
        table = pq.read_table(path, schema=schema)
    except (OSError, pa.ArrowInvalid):
        return None
    kept = list(zip(table["item_id"].to_pylist(), table["seed"].to_pylist(), strict=True))
    if kept != [(sample.item.item_id, sample.seed) for batch in batches for sample in batch]:
        return None
    pictures = zip(table["png"].to_pylist(), table["png_sha256"].to_pylist(), strict=True)
    whole = all(png is not None and sha256_bytes(png) == digest for png, digest in pictures)
    return table if whole else None


def keep_table(folder: Path, key: str, table: pa.Table) -> None:
    """Cache a condition without failed samples, if the folder can be written."""
    if set(table["status"].to_pylist()) != {OK}:
        return
    try:
        write_table(folder / f"{key}.parquet", table)
    except (LepbenchError, OSError):
        return
