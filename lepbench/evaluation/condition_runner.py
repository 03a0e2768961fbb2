"""Generate and score conditions batch by batch; each batch is one atomic file, so runs can be resumed.

A batch is encoded and written while the next one is drawn: a kill loses at most these two.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from lepbench.backbones.finite import NotFinite
from lepbench.errors import LepbenchError
from lepbench.evaluation.background import BackgroundJobs
from lepbench.evaluation.condition_table import PICTURE, ConditionTable, Piece
from lepbench.evaluation.conditions import Condition
from lepbench.evaluation.cost import count_method_passes, share_cost
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.sample import FAILED, OK, Batch, Sample
from lepbench.evaluation.schema import make_work_schema
from lepbench.evaluation.score import score_pictures
from lepbench.files import atomic_path, sha256_bytes
from lepbench.images import Pixels, encode_picture, to_pixels
from lepbench.judges import Judges
from lepbench.progress import Progress
from lepbench.submitted import describe_error

Row = dict[str, Any]
"""The columns of a sample, by name."""


@dataclass(frozen=True)
class Failure:
    """Why there is no image."""

    reason: str


@dataclass(frozen=True)
class ConditionRunner:
    """Generates and scores conditions batch by batch, and stores finished batches.

    Attributes:
        folder: holds the finished batches.
        judges: score the pictures.
        protocol: the scoring protocol.
        progress: called with (stage, done, total): the condition, its samples done, its samples in all.
    """

    folder: Path
    judges: Judges
    protocol: Protocol
    progress: Progress

    def table(self, row: Condition, batches: Sequence[Batch]) -> ConditionTable:
        """The whole table: batches without a failure stay as they are, the others are generated."""
        total = sum(len(batch) for batch in batches)
        done = 0
        self.progress(row.name, done, total)
        paths = [self.folder / f"{row.name}-{number:05d}.parquet" for number in range(len(batches))]
        with BackgroundJobs() as background:
            for path, batch in zip(paths, batches, strict=True):
                if not holds_all(path):
                    background.start(store_rows, path, *self._draw_and_score(row, batch), self.schema)
                done += len(batch)
                self.progress(row.name, done, total)
        return ConditionTable(self.schema, [Piece(path, 0) for path in paths])

    @cached_property
    def schema(self) -> pa.Schema:
        """Of every batch."""
        return make_work_schema(self.protocol)

    def _draw_and_score(self, row: Condition, batch: Batch) -> tuple[list[Row], list[Pixels | None]]:
        """The rows of a batch, and the pictures that are to be stored, None for the others."""
        started = time.perf_counter()
        with count_method_passes(row.method) as passes:
            drawn = draw_batch(row, batch)
        cost = share_cost(time.perf_counter() - started, passes, len(batch))
        records = [make_sample_row(row, s, d) | cost for s, d in zip(batch, drawn, strict=True)]
        good = {i: picture for i, picture in enumerate(drawn) if not isinstance(picture, Failure)}
        if good:
            samples = [batch[i] for i in good]
            truths = [row.kind.select_truth(sample) for sample in samples]
            scored = score_pictures(
                np.stack(list(good.values())),
                samples,
                truths=truths,
                judges=self.judges,
                protocol=self.protocol,
                embeds=row.stored is None,
            )
            for i, columns in zip(good, scored, strict=True):
                records[i].update(columns)
        return records, [good.get(i) if row.stored is None else None for i in range(len(batch))]


def holds_all(path: Path) -> bool:
    """Whether a batch is finished and none of its samples failed."""
    return path.is_file() and set(pq.read_table(path, columns=["status"])["status"].to_pylist()) == {OK}


def draw_batch(row: Condition, batch: Batch) -> list[Pixels | Failure]:
    """Images uint8 [H, W, 3] of a batch; if it fails, each is tried alone and failures are recorded.

    Raises:
        LepbenchError: the fault is the user's, and would be that of every sample.
    """
    pictures = _pictures(row, batch)
    if isinstance(pictures, Failure):
        # The exception is released by now, and with it the memory of the failed batch.
        return [pictures] if len(batch) == 1 else [d for sample in batch for d in draw_batch(row, [sample])]
    return [_read_picture(picture) for picture in pictures]


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
        return Failure(describe_error(error, row.files))
    side = batch[0].item.sketch.shape[0]
    if tuple(pictures.shape) != (len(batch), 3, side, side):
        raise LepbenchError(
            f"row {row.name!r} has pictures of shape {list(pictures.shape[1:])}, not {[3, side, side]}",
            "draw at the suite's size",
        )
    return pictures


def make_sample_row(row: Condition, sample: Sample, drawn: Pixels | Failure) -> Row:
    """A sample's row of the table before it is scored, and its image encoded."""
    record: Row = {
        "row": row.name,
        "item_id": sample.item_id,
        "sample_index": sample.index,
        "seed": sample.seed,
    }
    if isinstance(drawn, Failure):
        return {**record, "status": FAILED, "reason": drawn.reason}
    if row.stored is not None:
        return {**record, "status": OK, "png_sha256": row.stored.find_picture(sample).sha256}
    return {**record, "status": OK}


def store_rows(path: Path, rows: list[Row], pictures: list[Pixels | None], schema: pa.Schema) -> None:
    """Write the rows of a batch, with the pictures that are given encoded."""
    for row, picture in zip(rows, pictures, strict=True):
        if picture is not None:
            png = encode_picture(picture)
            row.update({PICTURE: png, "png_sha256": sha256_bytes(png)})
    write_table(path, pa.Table.from_pylist(rows, schema))


def write_table(path: Path, table: pa.Table) -> None:
    """Write Parquet atomically; equal tables give equal bytes."""
    with atomic_path(path) as partial:
        pq.write_table(table, partial)
