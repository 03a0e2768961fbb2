"""A batch of a condition: drawn, scored, and stored as one atomic file with its pictures beside it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from lepbench.backbones.finite import NotFinite
from lepbench.errors import LepbenchError
from lepbench.evaluation.conditions import CONDITIONS, Condition
from lepbench.evaluation.cost import count_method_passes, share_cost
from lepbench.evaluation.layout import locate_edges, locate_picture
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.sample import FAILED, OK, Batch, Sample
from lepbench.evaluation.schema import HALVED
from lepbench.evaluation.score import score_pictures
from lepbench.files import atomic_path, sha256_bytes, write_bytes
from lepbench.images import Pixels, encode_picture, to_pixels
from lepbench.judges import Judges
from lepbench.submitted import describe_error

Row = dict[str, Any]
"""The columns of a sample, by name."""


@dataclass(frozen=True)
class Failure:
    """Why there is no image."""

    reason: str
    of_memory: bool = False


@dataclass(frozen=True)
class DrawnBatch:
    """A batch that is done.

    Attributes:
        rows: of the samples table, a sample each.
        pictures: those that are to be stored, as pixels or encoded; None for the others.
        edges: that the model predicted, encoded; None where there are none, and nothing of other conditions.
        peaks: the most bytes of memory, and of that of an accelerator, of the worker that drew it; None where
            that is this process or not known.
    """

    rows: list[Row]
    pictures: list[Pixels | bytes | None]
    edges: list[bytes | None] = field(default_factory=list)
    peaks: tuple[int | None, int | None] = (None, None)


def draw_and_score(row: Condition, batch: Batch, judges: Judges, protocol: Protocol) -> DrawnBatch:
    """Draw a batch of a condition, and measure what was drawn."""
    started = time.perf_counter()
    with count_method_passes(row.method) as passes:
        drawn = draw_batch(row, batch)
    cost = share_cost(time.perf_counter() - started, passes, len(batch))
    cost[HALVED] = row.limit.pictures is not None and len(batch) > row.limit.pictures
    records = [make_sample_row(row, s, d) | cost for s, d in zip(batch, drawn, strict=True)]
    good = {i: picture for i, picture in enumerate(drawn) if not isinstance(picture, Failure)}
    if good:
        samples = [batch[i] for i in good]
        scored = score_pictures(
            np.stack(list(good.values())),
            samples,
            truths=[row.kind.select_truth(sample) for sample in samples],
            judges=judges,
            protocol=protocol,
            embeds=row.stored is None,
        )
        for i, columns in zip(good, scored, strict=True):
            records[i].update(columns)
    pictures: list[Pixels | bytes | None]
    pictures = [good.get(i) if row.stored is None else None for i in range(len(batch))]
    return DrawnBatch(records, pictures, row.edges.take(batch))


def draw_batch(row: Condition, batch: Batch) -> list[Pixels | Failure]:
    """Images uint8 [H, W, 3] of a batch.

    If a batch fails, each sample is tried alone and failures are recorded; if memory runs out, batches are
    halved once, this and all that follow.

    Raises:
        LepbenchError: the fault is the user's, and would be that of every sample.
    """
    most = row.limit.pictures
    if most is not None and len(batch) > most:
        return [d for i in range(0, len(batch), most) for d in draw_batch(row, batch[i : i + most])]
    pictures = _pictures(row, batch)
    if not isinstance(pictures, Failure):
        return [_read_picture(picture) for picture in pictures]
    # The exception is released by now, and with it the memory of the failed batch.
    if len(batch) == 1 or (pictures.of_memory and most is not None):
        return [pictures] * len(batch)
    if pictures.of_memory:
        row.limit.pictures = (len(batch) + 1) // 2
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return draw_batch(row, batch)
    return [d for sample in batch for d in draw_batch(row, [sample])]


def _read_picture(picture: Tensor) -> Pixels | Failure:
    """The pixels of one picture [3, H, W]."""
    if picture.is_floating_point() and not torch.isfinite(picture).all():
        return Failure("pixels that are not finite")
    return to_pixels(picture)


def _pictures(row: Condition, batch: Batch) -> Tensor | Failure:
    """A batch's pictures [B, 3, H, W], or why they could not be drawn together."""
    try:
        pictures = row.draw(batch)
    except NotFinite as error:
        return Failure(str(error))
    except LepbenchError:
        raise
    except Exception as error:
        return Failure(describe_error(error, row.files), is_lack_of_memory(error))
    side = batch[0].item.sketch.shape[0]
    if tuple(pictures.shape) != (len(batch), 3, side, side):
        raise LepbenchError(
            f"row {row.name!r} has pictures of shape {list(pictures.shape[1:])}, not {[3, side, side]}",
            "draw at the suite's size",
        )
    return pictures


def is_lack_of_memory(error: Exception) -> bool:
    """Whether memory ran out, of a processor or an accelerator."""
    said = str(error).lower()
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and ("out of memory" in said or "can't allocate" in said)


def make_sample_row(row: Condition, sample: Sample, drawn: Pixels | Failure) -> Row:
    """A sample's row of the table before it is scored."""
    record = _name_sample(row.name, sample)
    if isinstance(drawn, Failure):
        return {**record, "status": FAILED, "reason": drawn.reason}
    if row.stored is not None:
        return {**record, "status": OK, "png_sha256": sha256_bytes(row.stored.read(sample))}
    return {**record, "status": OK}


def fail_batch(condition: str, batch: Batch, reason: str) -> DrawnBatch:
    """A batch that nobody finished."""
    cost = share_cost(0.0, None, len(batch))
    rows = [{**_name_sample(condition, s), "status": FAILED, "reason": reason} | cost for s in batch]
    return DrawnBatch(rows, [None] * len(batch))


def _name_sample(condition: str, sample: Sample) -> Row:
    return {
        "row": condition,
        "item_id": sample.item_id,
        "sample_index": sample.index,
        "seed": sample.seed,
    }


def encode_pictures(drawn: DrawnBatch) -> DrawnBatch:
    """The same batch with its pictures encoded."""
    return replace(drawn, pictures=[p if p is None else _encode(p) for p in drawn.pictures])


def _encode(picture: Pixels | bytes) -> bytes:
    return picture if isinstance(picture, bytes) else encode_picture(picture)


def store_batch(out: Path, path: Path, drawn: DrawnBatch, schema: pa.Schema) -> None:
    """Write a batch's pictures into the folder of a run, and then its rows, which say that it is done."""
    for row, picture in zip(drawn.rows, drawn.pictures, strict=True):
        place = locate_picture(out, row["row"], row["item_id"], row["sample_index"])
        if picture is not None:
            png = _encode(picture)
            row["png_sha256"] = sha256_bytes(png)
            write_bytes(place, png)
        elif row["status"] == FAILED:
            place.unlink(missing_ok=True)  # of an earlier try
    for row, edges in zip(drawn.rows, drawn.edges, strict=False):
        if edges is not None:
            write_bytes(locate_edges(out, row["item_id"]), edges)
    write_table(path, pa.Table.from_pylist(drawn.rows, schema))


def holds_all(out: Path, path: Path, schema: pa.Schema) -> bool:
    """Whether a batch is finished, none of its samples failed, and its pictures are there."""
    if not path.is_file() or pq.read_schema(path).names != schema.names:
        return False
    lines = pq.read_table(path, columns=["row", "item_id", "sample_index", "status"]).to_pylist()
    return all(line["status"] == OK and has_picture(out, line) for line in lines)


def has_picture(out: Path, line: Row) -> bool:
    """Whether the picture that a line of a batch names is in a folder, or is another condition's."""
    if CONDITIONS[line["row"]].borrows is not None:
        return True
    return locate_picture(out, line["row"], line["item_id"], line["sample_index"]).is_file()


def write_table(path: Path, table: pa.Table) -> None:
    """Write Parquet atomically; equal tables give equal bytes."""
    with atomic_path(path) as partial:
        pq.write_table(table, partial)
