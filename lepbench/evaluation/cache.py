"""Cache of reference conditions between runs: named by what they depend on, and by what they hold."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lepbench.errors import LepbenchError
from lepbench.evaluation.condition_table import PICTURE, ConditionTable, Piece, write_batches
from lepbench.evaluation.sample import OK, Batch
from lepbench.files import make_folder, sha256_bytes, sha256_file


def recall_table(folder: Path, key: str, schema: pa.Schema, batches: list[Batch]) -> ConditionTable | None:
    """A cached condition, or None if there is none; a file that is not the one that was kept is passed over.

    Args:
        key: the hash of everything that the condition depends on.

    Warns:
        UserWarning: a file was changed since it was written: the condition is drawn anew.
    """
    for path in sorted(folder.glob(f"{key}-*.parquet")):
        table = ConditionTable(schema, [Piece(path, number) for number in range(len(batches))])
        if _is_kept(path) and _holds(table, path, batches):
            return table
        warnings.warn(
            f"{path} is not the table that was kept there: it is deleted, and drawn anew", stacklevel=2
        )
        path.unlink(missing_ok=True)
    return None


def _is_kept(path: Path) -> bool:
    """Whether a file has the hash that it is called by."""
    try:
        return path.stem.rpartition("-")[2] == sha256_file(path)
    except OSError:
        return False


def _holds(table: ConditionTable, path: Path, batches: list[Batch]) -> bool:
    """Whether a table has a row group a batch, each with its samples and their images."""
    try:
        if pq.read_metadata(path).num_row_groups != len(batches):
            return False
        kept = table.read_batches(("item_id", "seed", PICTURE, "png_sha256"))
        return all(_is_whole(rows, batch) for rows, batch in zip(kept, batches, strict=True))
    except (OSError, KeyError, pa.ArrowException):
        return False


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
        with tempfile.TemporaryDirectory(dir=make_folder(folder), prefix=f".{key}.") as place:
            written = Path(place) / f"{key}.parquet"
            write_batches(written, table)
            written.replace(folder / f"{key}-{sha256_file(written)}.parquet")
    except (LepbenchError, OSError):
        return
