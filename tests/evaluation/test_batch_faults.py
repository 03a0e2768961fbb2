"""What becomes of a batch where memory runs out, or the accelerator is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from lepbench.engines.base import WorkerLostError, ignore_entries
from lepbench.evaluation import condition_runner
from lepbench.evaluation.bench import Bench
from lepbench.evaluation.conditions import CONDITIONS, Condition
from lepbench.evaluation.drawing_job import BatchPiece, DrawingJob, draw_encoded
from lepbench.evaluation.protocols import select_protocol
from lepbench.evaluation.sample import Batch, make_batches
from lepbench.judges import Judges
from lepbench.pickled import pickle_for_workers
from lepbench.suites import Suite


def test_memory_that_runs_out_halves_the_batches_once(tiny_suite: Suite) -> None:
    sizes: list[int] = []

    def draw(batch: Batch) -> torch.Tensor:
        sizes.append(len(batch))
        if len(batch) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return torch.zeros(len(batch), 3, 64, 64)

    row = Condition(CONDITIONS["model"], draw)
    for batch in make_batches(tiny_suite, tiny_suite.items(8), 1, 4):
        drawn = condition_runner.draw_batch(row, batch)
        assert not any(isinstance(picture, condition_runner.Failure) for picture in drawn)
    assert sizes == [4, 2, 2, 2, 2]

    sizes.clear()
    row = Condition(CONDITIONS["model"], draw)
    (batch, *_) = make_batches(tiny_suite, tiny_suite.items(8), 1, 8)
    drawn = condition_runner.draw_batch(row, batch)
    assert all(isinstance(picture, condition_runner.Failure) for picture in drawn)
    assert sizes == [8, 4, 4]


def draw_as(tiny_suite: Suite, draw: Callable[[Batch], torch.Tensor]) -> Any:
    """A batch of four, as a worker draws it."""
    row, batches = Condition(CONDITIONS["model"], draw), make_batches(tiny_suite, tiny_suite.items(4), 1, 4)
    protocol = select_protocol(tiny_suite, judges="none")
    job = DrawingJob(pickle_for_workers({}, trusts=False), "cpu")
    job._bench = Bench({row.name: row}, {row.name: batches}, Judges({}), protocol)
    return draw_encoded(job, BatchPiece(row.name, 0, 4), ignore_entries)


def test_a_worker_whose_accelerator_is_lost_is_given_up(tiny_suite: Suite) -> None:
    def lost(batch: Batch) -> torch.Tensor:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    with pytest.raises(WorkerLostError, match="CUDA error: an illegal memory access"):
        draw_as(tiny_suite, lost)


def test_a_worker_whose_method_fails_is_not(tiny_suite: Suite) -> None:
    def fail(batch: Batch) -> torch.Tensor:
        raise RuntimeError("no such layer")

    drawn = draw_as(tiny_suite, fail)
    assert [row["status"] for row in drawn.rows] == ["failed"] * 4
    assert all("no such layer" in row["reason"] for row in drawn.rows)
