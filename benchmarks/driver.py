"""How many batches a second the process that writes a run's folder takes, and its memory meanwhile.

    OMP_NUM_THREADS=1 python benchmarks/driver.py --batches 20000

The method draws nothing: workers return a batch of one picture that is ready, and the driver stores it. On
stdout, as JSON: batches a second, processor time a batch, and memory in MB after a tenth of the batches and
after all.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
from drawn import draw_condition

from lepbench.config import load_config
from lepbench.engines import Processes, Terms
from lepbench.evaluation.bench import Bench
from lepbench.evaluation.condition_runner import DrawnBatch
from lepbench.evaluation.conditions import Condition, make_real_condition
from lepbench.evaluation.draw_conditions import ConditionDrawer
from lepbench.evaluation.opening import Opened, open_plan
from lepbench.evaluation.run import make_run_plan
from lepbench.evaluation.run_plan import RunPlan
from lepbench.evaluation.sample import Batch, make_batches
from lepbench.methods import ModelConfig
from lepbench.suites import load_suite

Figures = dict[str, Any]


class ReadyJob:
    """A batch that is ready, for workers that return it."""

    def __init__(self, drawn: DrawnBatch) -> None:
        self.drawn = drawn


def return_ready(job: ReadyJob, piece: Any, progress: Callable[[int], None]) -> DrawnBatch:
    """What a worker does."""
    return job.drawn


def measure_driver(plan: RunPlan, opened: Opened, count: int, workers: int) -> Figures:
    """Batches of one picture a second that the driver stores, and its memory meanwhile."""
    row = make_real_condition()
    (first, *_) = make_batches(plan.suite, plan.items, 1, 1)
    with tempfile.TemporaryDirectory() as place:
        table = draw_condition(Path(place), row, [first], judges=opened.judges, protocol=plan.protocol)
        rows = next(table.read_batches()).to_pylist()
        picture = next(Path(place).rglob("*.png")).read_bytes()
    ready = DrawnBatch(rows, [picture])
    return store_many(row, [first] * count, ready, plan=plan, opened=opened, workers=workers)


def store_many(
    row: Condition,
    batches: Sequence[Batch],
    ready: DrawnBatch,
    plan: RunPlan,
    opened: Opened,
    workers: int,
) -> Figures:
    memory: list[float] = []

    def watch(stage: str, done: int, total: int) -> None:
        if done in (total // 10, total):
            memory.append(round(psutil.Process().memory_info().rss / 2**20, 1))

    bench = Bench({row.name: row}, {row.name: batches}, opened.judges, plan.protocol)
    with (
        tempfile.TemporaryDirectory() as out,
        Processes(workers).start(return_ready, ReadyJob(ready), Terms()) as team,
    ):
        started, busy = time.perf_counter(), time.process_time()
        ConditionDrawer(Path(out), bench, team, watch).draw(row)
        taken, busy = time.perf_counter() - started, time.process_time() - busy
    return {
        "batches_per_s": round(len(batches) / taken, 1),
        "processor_ms": round(1000 * busy / len(batches), 2),
        "memory_mb": memory[-2:],
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=Path("examples/mini-unguided.yaml"))
    parser.add_argument("--suite", default="sketchworld-edges-v1")
    parser.add_argument("--batches", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    plan = make_run_plan(
        load_config(chosen.model, ModelConfig),
        load_suite(chosen.suite),
        1,
        samples_per_item=1,
        device="cpu",
        protocol=None,
    )
    print(json.dumps(measure_driver(plan, open_plan(plan), chosen.batches, chosen.workers), indent=1))


if __name__ == "__main__":
    main()
