"""Seconds and bytes a picture of every stage of an evaluation, what they predict, and the driver's ceiling.

    OMP_NUM_THREADS=1 python benchmarks/scale.py --model examples/mini-lep.yaml --items 16 --check 64

Stages are timed apart on the same batches: loading, drawing by the model and by its backbone alone, scoring,
encoding, storing, and the summary of a finished run. From them the seconds of a run of --check items are
predicted, and such a run is timed. The driver's ceiling is taken with a method that draws nothing: workers
return a batch that is ready, and the driver stores 20,000 of them. On stdout, as JSON:

    load_s            backbone, method and judges
    seconds           of each stage, a picture
    bytes             of a picture: encoded, its row while a run goes on, its row in samples.parquet
    predicted_s, measured_s, error
    driver            batches a second, processor time a batch, and memory in MB after a tenth of the batches
                      and after all
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from drawn import draw_condition

from lepbench.config import load_config
from lepbench.engines import Processes, Terms
from lepbench.evaluation.bench import Bench, make_bench
from lepbench.evaluation.condition_runner import (
    DrawnBatch,
    draw_batch,
    encode_pictures,
    fail_batch,
    store_batch,
)
from lepbench.evaluation.conditions import MODEL, UNGUIDED, Condition, make_real_condition
from lepbench.evaluation.draw_conditions import ConditionDrawer
from lepbench.evaluation.opening import Opened, open_plan
from lepbench.evaluation.run import evaluate, make_run_plan
from lepbench.evaluation.run_plan import RunPlan
from lepbench.evaluation.sample import Batch, make_batches
from lepbench.evaluation.schema import make_work_schema
from lepbench.evaluation.score import score_pictures
from lepbench.methods import ModelConfig
from lepbench.suites import Suite, load_suite

BATCHES = 20_000
Figures = dict[str, Any]


@contextmanager
def timing(taken: dict[str, float], stage: str) -> Iterator[None]:
    """Add what a block takes to a stage."""
    started = time.perf_counter()
    yield
    taken[stage] = taken.get(stage, 0.0) + time.perf_counter() - started


def measure_stages(plan: RunPlan, opened: Opened, out: Path) -> Figures:
    """Seconds and bytes a picture of each stage."""
    bench, taken = make_bench(plan, opened, out), dict[str, float]()
    schema, sizes = make_work_schema(plan.protocol), {"encoded": 0, "row": 0}
    batches = bench.batches[MODEL.name]
    for number, batch in enumerate(batches):
        for name in (MODEL.name, UNGUIDED.name):
            if name in bench.conditions:
                with timing(taken, f"drawing, {name}"):
                    drawn = draw_batch(bench.conditions[name], batch)
        pixels = np.stack([picture for picture in drawn if isinstance(picture, np.ndarray)])
        with timing(taken, "scoring"):
            columns = score_batch(pixels, batch, bench)
        rows = [row | found for row, found in zip(name_rows(batch), columns, strict=True)]
        with timing(taken, "encoding"):
            ready = encode_pictures(DrawnBatch(rows, list(pixels)))
        path = out / f"{number}.parquet"
        with timing(taken, "storing"):
            store_batch(out, path, ready, schema)
        sizes["encoded"] += sum(len(p) for p in ready.pictures if isinstance(p, bytes))
        sizes["row"] += path.stat().st_size
    pictures = sum(map(len, batches))
    return {
        "seconds": {stage: round(seconds / pictures, 5) for stage, seconds in taken.items()},
        "bytes": {name: round(size / pictures) for name, size in sizes.items()},
    }


def score_batch(pixels: np.ndarray, batch: Batch, bench: Bench) -> list[dict[str, Any]]:
    truths = [sample.item for sample in batch]
    return score_pictures(pixels, batch, truths=truths, judges=bench.judges, protocol=bench.protocol)


def name_rows(batch: Batch) -> list[dict[str, Any]]:
    """Rows of a batch that was drawn, before it is scored."""
    return [row | {"status": "ok", "reason": None} for row in fail_batch(MODEL.name, batch, "").rows]


def predict_seconds(found: Figures, plan: RunPlan) -> float:
    """What the stages together say of a run."""
    counts = {kind.name: sum(map(len, plan.make_batches(kind))) for kind in plan.kinds}
    each: dict[str, float] = found["seconds"]
    drawing = sum(counts[name] * each.get(f"drawing, {name}", 0.0) for name in counts)
    # A batch is encoded and stored while the next one is drawn and scored.
    return found["load_s"] + drawing + sum(counts.values()) * each["scoring"]


def measure_run(model: ModelConfig, suite: Suite, items: int, out: Path) -> tuple[float, int]:
    """Seconds of a run, and the bytes of its samples table a row."""
    started = time.perf_counter()
    record = evaluate(model, suite, out, limit=items)
    taken = time.perf_counter() - started
    rows = sum(figures["edge_f1_1px"].n for figures in record.rows.values() if "edge_f1_1px" in figures)
    return taken, round((out / "samples.parquet").stat().st_size / max(rows, 1))


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
    parser.add_argument("--items", type=int, default=16, help="on which stages are timed")
    parser.add_argument("--check", type=int, default=64, help="items of the run that is predicted")
    parser.add_argument("--batches", type=int, default=BATCHES, help="that the driver stores; 0 for none")
    parser.add_argument("--workers", type=int, default=2, help="that hand them to it")
    chosen = parser.parse_args()
    model, suite = load_config(chosen.model, ModelConfig), load_suite(chosen.suite)
    plan = make_run_plan(model, suite, chosen.items, samples_per_item=1, device="auto", protocol=None)
    started = time.perf_counter()
    opened = open_plan(plan)
    found: Figures = {"load_s": round(time.perf_counter() - started, 2)}
    with tempfile.TemporaryDirectory() as place:
        found |= measure_stages(plan, opened, Path(place) / "stages")
        asked = make_run_plan(model, suite, chosen.check, samples_per_item=1, device="auto", protocol=None)
        predicted = predict_seconds(found, asked)
        measured, row = measure_run(model, suite, chosen.check, Path(place) / "run")
    found["bytes"]["row in samples.parquet"] = row
    found |= {"predicted_s": round(predicted, 1), "measured_s": round(measured, 1)}
    found["error"] = round(abs(predicted - measured) / measured, 3)
    if chosen.batches:
        found["driver"] = measure_driver(plan, opened, chosen.batches, chosen.workers)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
