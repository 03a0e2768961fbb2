"""Draw and score every condition of a run, batch by batch, with a team; what is done is not done again.

A batch is stored while the next one is drawn: a kill loses at most those that are being drawn or stored.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from lepbench.engines.base import Team, ignore_entries
from lepbench.evaluation.background import BackgroundJobs
from lepbench.evaluation.bench import Bench
from lepbench.evaluation.cache import CachedCondition
from lepbench.evaluation.condition_runner import DrawnBatch, fail_batch, holds_all, store_batch
from lepbench.evaluation.condition_table import ConditionTable, locate_batch
from lepbench.evaluation.conditions import Condition, hash_condition
from lepbench.evaluation.drawing_job import BatchPiece
from lepbench.evaluation.sample import FAILED, Batch
from lepbench.evaluation.schema import HALVED, make_work_schema
from lepbench.progress import Progress
from lepbench.run_log import Note, ignore_event
from lepbench.shares import Share


@dataclass
class Peaks:
    """The most bytes of memory, and of an accelerator's; None where nothing is known of it."""

    memory: int | None = None
    accelerator: int | None = None

    def add(self, memory: int | None, accelerator: int | None) -> None:
        """Take another worker, or process, into account."""
        self.memory = max((n for n in (self.memory, memory) if n is not None), default=None)
        self.accelerator = max((n for n in (self.accelerator, accelerator) if n is not None), default=None)


@dataclass(frozen=True)
class ConditionDrawer:
    """Fills the folder of a run.

    Attributes:
        out: the folder.
        bench: the conditions and their batches.
        team: draws and scores.
        progress: called with (stage, done, total): the condition, its samples done, its samples in all.
        share: the batches that are drawn; None for all.
        note: called with an event and its values: a batch some of whose samples failed.
        reused: the conditions that were taken from the cache, so far.
        peaks: the most memory that workers took, and that of their accelerators.
    """

    out: Path
    bench: Bench
    team: Team
    progress: Progress
    share: Share | None = None
    note: Note = ignore_event
    reused: list[str] = field(default_factory=list)
    peaks: Peaks = field(default_factory=Peaks)

    def draw_all(self, shared: Mapping[str, Any]) -> None:
        """Every condition; references from the cache if they are there.

        Args:
            shared: what all reference conditions depend on beside suite and samples.
        """
        for name, row in self.bench.conditions.items():
            if row.depends_on is None:
                self.draw(row)
                continue
            key = hash_condition(row, {**shared, "samples_per_item": self._count_per_item(name)})
            self._draw_reference(row, CachedCondition(name, key))

    def _draw_reference(self, row: Condition, cached: CachedCondition) -> None:
        """A condition that is kept for other runs; of a share it is taken, but not kept: it has a part."""
        if self.share is not None:
            if not self._recall(row, cached):
                self.draw(row)
            return
        with cached.hold():
            if not self._recall(row, cached):
                cached.keep(self.out, self.draw(row))

    def _recall(self, row: Condition, cached: CachedCondition) -> bool:
        batches = self._list_mine(row.name)
        if not cached.recall(self.out, self.schema, batches, len(self.bench.batches[row.name])):
            return False
        self.reused.append(row.name)
        count = sum(map(len, batches.values()))
        self.progress(row.name, count, count)
        return True

    def _count_per_item(self, name: str) -> int:
        return 1 + max(sample.index for batch in self.bench.batches[name] for sample in batch)

    def draw(self, row: Condition) -> ConditionTable:
        """The table of a condition: batches without a failure stay as they are, the others are drawn."""
        name, batches = row.name, self._list_mine(row.name)
        paths = {number: locate_batch(self.out, name, number) for number in batches}
        missing = [number for number in batches if not holds_all(self.out, paths[number], self.schema)]
        total = sum(map(len, batches.values()))
        done = total - sum(len(batches[number]) for number in missing)
        self.progress(name, done, total)
        pieces = [BatchPiece(name, number, len(batches[number])) for number in missing]
        halved = False
        with BackgroundJobs() as background:
            for piece, drawn in self.team.run(pieces, ignore_entries, self._fail) if pieces else ():
                halved = _say_halved(name, drawn, halved)
                self._note_failed(piece, drawn)
                self.peaks.add(*drawn.peaks)
                background.start(store_batch, self.out, paths[piece.number], drawn, schema=self.schema)
                done += piece.entries
                self.progress(name, done, total)
        return ConditionTable(self.schema, list(paths.values()))

    def _note_failed(self, piece: BatchPiece, drawn: DrawnBatch) -> None:
        failed = [row for row in drawn.rows if row["status"] == FAILED]
        if failed:
            reasons = sorted({row["reason"] for row in failed})
            self.note(
                "failed", stage=piece.condition, batch=piece.number, samples=len(failed), reasons=reasons
            )

    def _fail(self, piece: BatchPiece, reason: str) -> DrawnBatch:
        return fail_batch(piece.condition, self.bench.batches[piece.condition][piece.number], reason)

    def _list_mine(self, name: str) -> dict[int, Batch]:
        """The batches of a condition that are drawn here, by number."""
        every: Sequence[Batch] = self.bench.batches[name]
        return {n: b for n, b in enumerate(every) if self.share is None or self.share.takes(n)}

    @cached_property
    def schema(self) -> pa.Schema:
        """Of every batch."""
        return make_work_schema(self.bench.protocol)


def _say_halved(name: str, drawn: DrawnBatch, said: bool) -> bool:
    """Say once that memory ran out for whole batches; whether it has been said."""
    if not said and any(row.get(HALVED) for row in drawn.rows):
        warnings.warn(f"{name}: memory ran out, and batches are drawn in halves from now on", stacklevel=2)
        return True
    return said
