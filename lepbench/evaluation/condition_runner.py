"""Generate and score conditions batch by batch; each batch is one atomic file, so runs can be resumed."""

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
from lepbench.evaluation.condition_table import PICTURE, ConditionTable, Piece
from lepbench.evaluation.conditions import Condition
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.sample import FAILED, OK, Batch, Sample
from lepbench.evaluation.schema import make_work_schema
from lepbench.evaluation.score import score_pictures
from lepbench.files import atomic_path, sha256_bytes
from lepbench.images import Pixels, encode_png, to_pixels
from lepbench.judges import Judges
from lepbench.progress import Progress
from lepbench.submitted import describe_error


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
        for path, batch in zip(paths, batches, strict=True):
            if not holds_all(path):
                write_table(path, pa.Table.from_pylist(self._drawn_and_scored(row, batch), self.schema))
            done += len(batch)
            self.progress(row.name, done, total)
        return ConditionTable(self.schema, [Piece(path, 0) for path in paths])

    @cached_property
    def schema(self) -> pa.Schema:
        """Of every batch."""
        return make_work_schema(self.protocol)

    def _drawn_and_scored(self, row: Condition, batch: Batch) -> list[dict[str, Any]]:
        started = time.perf_counter()
        drawn = draw_batch(row, batch)
        seconds = (time.perf_counter() - started) / len(batch)
        records = [make_sample_row(row, s, d, seconds) for s, d in zip(batch, drawn, strict=True)]
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
        return records


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
    finite = torch.isfinite(pictures).flatten(1).all(dim=1).tolist()
    pixels = to_pixels(pictures.nan_to_num())
    return [
        p if good else Failure("pixels that are not finite") for p, good in zip(pixels, finite, strict=True)
    ]


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


def make_sample_row(
    row: Condition, sample: Sample, drawn: Pixels | Failure, seconds: float
) -> dict[str, Any]:
    """A sample's row of the table before it is scored."""
    record: dict[str, Any] = {
        "row": row.name,
        "item_id": sample.item_id,
        "sample_index": sample.index,
        "seed": sample.seed,
        "seconds": seconds,
    }
    if isinstance(drawn, Failure):
        return {**record, "status": FAILED, "reason": drawn.reason}
    if row.stored is not None:
        return {**record, "status": OK, "png_sha256": row.stored.find_picture(sample).sha256}
    png = encode_png(drawn)
    return {**record, "status": OK, "png_sha256": sha256_bytes(png), PICTURE: png}


def write_table(path: Path, table: pa.Table) -> None:
    """Write Parquet atomically; equal tables give equal bytes."""
    with atomic_path(path) as partial:
        pq.write_table(table, partial)
