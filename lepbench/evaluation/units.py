"""Units of work: a batch is drawn, scored and kept in one atomic file, so that a run can stop any time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from lepbench.errors import LepbenchError
from lepbench.evaluation.judges import Judges
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.rows import Row
from lepbench.evaluation.sample import FAILED, OK, Sample, Unit
from lepbench.evaluation.schema import work_schema_of
from lepbench.evaluation.score import score
from lepbench.files import atomic_path, sha256_bytes
from lepbench.images import Pixels, png_bytes, to_pixels

Progress = Callable[[str, int, int], None]
"""Told the row, its samples done, and its samples in all."""


@dataclass(frozen=True)
class Failure:
    """Why there is no picture."""

    reason: str


@dataclass(frozen=True)
class Workshop:
    """Draws and scores rows, a unit at a time, and keeps what is done.

    Attributes:
        folder: holds the finished units.
        judges: score the pictures.
        protocol: says how.
        progress: told of every unit done.
    """

    folder: Path
    judges: Judges
    protocol: Protocol
    progress: Progress

    def table(self, row: Row, units: Sequence[Unit]) -> pa.Table:
        """The whole row: units that are done are read back, the others drawn, as are those with a failure."""
        total = sum(len(unit) for unit in units)
        done = 0
        tables = []
        self.progress(row.name, done, total)
        for number, unit in enumerate(units):
            tables.append(self._unit(row, number, unit))
            done += len(unit)
            self.progress(row.name, done, total)
        return pa.concat_tables(tables).combine_chunks()

    def _unit(self, row: Row, number: int, unit: Unit) -> pa.Table:
        path = self.folder / f"{row.name}-{number:05d}.parquet"
        schema = work_schema_of(self.protocol)
        if path.is_file():
            kept = pq.read_table(path, schema=schema)
            if set(kept["status"].to_pylist()) == {OK}:
                return kept
        table = pa.Table.from_pylist(self._drawn_and_scored(row, unit), schema)
        write_table(path, table)
        return table

    def _drawn_and_scored(self, row: Row, unit: Unit) -> list[dict[str, Any]]:
        started = time.perf_counter()
        drawn = draw_each(row, unit)
        seconds = (time.perf_counter() - started) / len(unit)
        records = [record_of(row, s, d, seconds) for s, d in zip(unit, drawn, strict=True)]
        good = {i: picture for i, picture in enumerate(drawn) if not isinstance(picture, Failure)}
        if good:
            samples = [unit[i] for i in good]
            truths = [row.truth(sample) for sample in samples]
            scored = score(np.stack(list(good.values())), samples, truths, self.judges, self.protocol)
            for i, columns in zip(good, scored, strict=True):
                records[i].update(columns)
        return records


def draw_each(row: Row, unit: Unit) -> list[Pixels | Failure]:
    """Pictures uint8 [H, W, 3] of a unit; where a batch fails, each is tried alone and failures are kept.

    Raises:
        LepbenchError: the fault is the user's, and would be that of every sample.
    """
    pictures = _pictures(row, unit)
    if isinstance(pictures, Failure):
        # The exception is gone by now, and with it what the batch held of the memory that it wanted more of.
        return [pictures] if len(unit) == 1 else [d for sample in unit for d in draw_each(row, [sample])]
    finite = torch.isfinite(pictures).flatten(1).all(dim=1).tolist()
    pixels = to_pixels(pictures.nan_to_num())
    return [
        p if good else Failure("pixels that are not finite") for p, good in zip(pixels, finite, strict=True)
    ]


def _pictures(row: Row, unit: Unit) -> Tensor | Failure:
    """A unit's pictures [B, 3, H, W], or why they could not be drawn together."""
    try:
        pictures = row.draw(unit)
    except LepbenchError:
        raise
    except Exception as error:
        return Failure(" ".join(f"{type(error).__name__}: {error}".split()))
    side = unit[0].item.sketch.shape[0]
    if tuple(pictures.shape) != (len(unit), 3, side, side):
        raise LepbenchError(
            f"row {row.name!r} has pictures of shape {list(pictures.shape[1:])}, not {[3, side, side]}",
            "draw at the suite's size",
        )
    return pictures


def record_of(row: Row, sample: Sample, drawn: Pixels | Failure, seconds: float) -> dict[str, Any]:
    """A sample's row of the table before it is scored."""
    record: dict[str, Any] = {
        "row": row.name,
        "item_id": sample.item.item_id,
        "sample_index": sample.index,
        "seed": sample.seed,
        "seconds": seconds,
    }
    if isinstance(drawn, Failure):
        return {**record, "status": FAILED, "reason": drawn.reason}
    png = png_bytes(drawn)
    return {**record, "status": OK, "png_sha256": sha256_bytes(png), "png": png}


def write_table(path: Path, table: pa.Table) -> None:
    """Write Parquet atomically; equal tables give equal bytes."""
    with atomic_path(path) as partial:
        pq.write_table(table, partial)
