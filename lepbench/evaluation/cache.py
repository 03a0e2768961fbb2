"""Cache of reference conditions between runs, keyed by the hash of everything they depend on."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lepbench.errors import LepbenchError
from lepbench.evaluation.condition_table import PICTURE, ConditionTable, Piece, write_batches
from lepbench.evaluation.sample import OK, Batch
from lepbench.files import sha256_bytes


def recall_table(folder: Path, key: str, schema: pa.Schema, batches: list[Batch]) -> ConditionTable | None:
    """A cached condition, or None if it is missing or damaged: samples and images are checked."""
    path = folder / f"{key}.parquet"
    table = ConditionTable(schema, [Piece(path, number) for number in range(len(batches))])
    try:
        if not path.is_file() or pq.read_metadata(path).num_row_groups != len(batches):
            return None
        kept = table.read_batches(("item_id", "seed", PICTURE, "png_sha256"))
        whole = all(_is_whole(rows, batch) for rows, batch in zip(kept, batches, strict=True))
    except (OSError, KeyError, pa.ArrowException):
        return None
    return table if whole else None


def _is_whole(rows: pa.Table, batch: Batch) -> bool:
    """Whether rows are those of a batch, each with its image."""
    lines = rows.to_pylist()
    asked = [(sample.item_id, sample.seed) for sample in batch]
    return [(line["item_id"], line["seed"]) for line in lines] == asked and all(
        line[PICTURE] is not None and sha256_bytes(line[PICTURE]) == line["png_sha256"] for line in lines
    )


def keep_table(folder: Path, key: str, table: ConditionTable) -> None:
    """Cache a condition without failed samples, if the folder can be written."""
    if set(table.read_columns(["status"])["status"].to_pylist()) != {OK}:
        return
    try:
        write_batches(folder / f"{key}.parquet", table)
    except (LepbenchError, OSError):
        return
