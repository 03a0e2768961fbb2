"""A run's batches as work for an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch

from lepbench.engines.base import EntryProgress, WorkerLostError
from lepbench.errors import LepbenchError
from lepbench.evaluation.bench import Bench, make_bench
from lepbench.evaluation.condition_runner import DrawnBatch, draw_and_score, encode_pictures
from lepbench.evaluation.environment import measure_peak_accelerator_memory, measure_peak_memory
from lepbench.evaluation.opening import collect_weights, open_plan
from lepbench.evaluation.run_plan import RunPlan
from lepbench.judges import Judges
from lepbench.pickled import Pickled, pickle_for_workers

BROKEN = "CUDA error"
"""What torch says where a GPU, or this process's use of it, is lost."""


class BatchPiece(NamedTuple):
    """A batch of a condition, by its number from 0, and how many samples it has."""

    condition: str
    number: int
    entries: int


@dataclass
class HeldJob:
    """A run that is drawn in this process."""

    bench: Bench


@dataclass
class DrawingJob:
    """A run that other processes draw; each loads what it needs once.

    Attributes:
        asked: what it is of.
        device: the kind that networks run on.
    """

    asked: Pickled
    device: str
    _bench: Bench | None = field(default=None, repr=False)

    @property
    def bench(self) -> Bench:
        """What was loaded."""
        if self._bench is None:
            raise RuntimeError("the job is not open")
        return self._bench

    def open(self) -> None:
        """Load what draws and scores.

        Raises:
            LepbenchError: something is missing here, or another file than where the run was begun.
        """
        with self.asked.read() as asked:
            plan = RunPlan(items=asked["plan"]["suite"].take(asked["items"]), **asked["plan"])
            opened = open_plan(plan, judges=asked["judges"])
            _require_same(collect_weights(plan, opened), asked["weights"])
            self._bench = make_bench(plan, opened, asked["out"])


def _require_same(here: Mapping[str, str], begun: Mapping[str, str]) -> None:
    """Refuse a worker whose files are others than those of the process that began the run.

    Raises:
        LepbenchError: they are.
    """
    other = sorted(name for name in here.keys() | begun.keys() if here.get(name) != begun.get(name))
    if other:
        raise LepbenchError(f"a worker has another {other[0]}", "give every machine the same files")


def make_drawing_job(
    plan: RunPlan, out: Path, judges: Judges | None, weights: Mapping[str, str]
) -> DrawingJob:
    """The job of a run for other processes.

    Args:
        out: the run's folder, which they see too.
        judges: None where each loads those of the protocol.
        weights: SHA-256 of the files that decide pictures and scores, by name, which each must have.

    Raises:
        LepbenchError: something that was given cannot be sent to other processes.
    """
    kept = ("model", "suite", "protocol", "samples_per_item")
    # Each worker sees one accelerator, whatever its number is here.
    device = torch.device(plan.device).type
    asked: dict[str, Any] = {
        "items": len(plan.items),
        "plan": {name: getattr(plan, name) for name in kept} | {"device": device},
        "out": out.absolute(),
        "judges": judges,
        "weights": dict(weights),
    }
    # What runs here has been trusted.
    return DrawingJob(pickle_for_workers(asked, trusts=True), device)


def draw_piece(job: HeldJob | DrawingJob, piece: BatchPiece, progress: EntryProgress) -> DrawnBatch:
    """Draw and score a batch; its pictures are encoded where it is stored."""
    bench = job.bench
    row, batch = bench.conditions[piece.condition], bench.batches[piece.condition][piece.number]
    return draw_and_score(row, batch, bench.judges, bench.protocol)


def draw_encoded(job: DrawingJob, piece: BatchPiece, progress: EntryProgress) -> DrawnBatch:
    """Draw and score a batch elsewhere, and encode its pictures there.

    Raises:
        WorkerLostError: the accelerator failed, after which nothing works in this process.
    """
    drawn = encode_pictures(draw_piece(job, piece, progress))
    broken = next((row["reason"] for row in drawn.rows if BROKEN in (row.get("reason") or "")), None)
    if broken is not None:
        raise WorkerLostError(broken)
    return replace(drawn, peaks=(measure_peak_memory(), measure_peak_accelerator_memory(job.device)))
