"""Peak memory and seconds of the end of a large run: its table, features, figures, report.

    OMP_NUM_THREADS=1 python benchmarks/finish_memory.py --samples-per-item 40

A shard of a few items is drawn. Its rows and pictures are repeated for every sample of a run of --items
items, 512 of which with 40 samples each make 20,480 rows a condition. `lepbench merge` then makes the run,
which draws and loads nothing, in a process of its own. On stdout, as JSON: rows, seconds, and peak memory in
MB, of a run of one sample an item, and of that.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lepbench.config import load_config
from lepbench.evaluation.condition_runner import write_table
from lepbench.evaluation.condition_table import WORK, locate_batch
from lepbench.evaluation.conditions import CONDITIONS
from lepbench.evaluation.folder import OWNER
from lepbench.evaluation.layout import locate_picture
from lepbench.evaluation.run import make_run_plan
from lepbench.evaluation.run_plan import RunPlan
from lepbench.evaluation.share_state import SHARE
from lepbench.files import link_file
from lepbench.methods import ModelConfig
from lepbench.suites import load_suite

DRAWN = 8
"""Items that are drawn."""
MODEL = "name: repeated\nmethod: unguided\nsampler: {steps: 2}\n"
SUITE = "sketchworld-edges-v1"


def draw_shard(folder: Path) -> Path:
    """The whole of a small run, as a shard."""
    command = ["evaluate", "model.yaml", "--limit", str(DRAWN), "--shards", "1/1", "--out", "drawn"]
    (folder / "model.yaml").write_text(MODEL)
    call(folder, command)
    return folder / "drawn"


def call(folder: Path, command: list[str]) -> tuple[float, float]:
    """Seconds and peak memory in MB of a command."""
    environment = os.environ | {"LEPBENCH_CACHE": str(folder / "cache")}
    started = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "lepbench", *command],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed in {folder}")
    return time.perf_counter() - started, usage.ru_maxrss / 2**10


def repeat_shard(drawn: Path, folder: Path, plan: RunPlan) -> int:
    """Write a shard of a plan whose rows and pictures are those of a small one; its rows."""
    for name in (OWNER, SHARE):
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes((drawn / name).read_bytes())
    counts: dict[str, int] = {}
    rows = 0
    for kind in plan.kinds:
        templates = cycle(read_rows(drawn, kind.name))
        batches = plan.make_batches(kind)
        counts[kind.name] = len(batches)
        for number, batch in enumerate(batches):
            made = [fill_row(next(templates), sample, drawn, folder) for sample in batch]
            write_table(locate_batch(folder, kind.name, number), pa.Table.from_pylist(made, schema_of(drawn)))
            rows += len(made)
    edit(folder / OWNER, items=len(plan.items), samples_per_item=plan.samples_per_item)
    edit(folder / SHARE, ("done", "batches"), **counts)
    return rows


def read_rows(drawn: Path, condition: str) -> list[dict[str, Any]]:
    paths = sorted((drawn / WORK).glob(f"{condition}-*.parquet"))
    return [row for path in paths for row in pq.read_table(path).to_pylist()]


def schema_of(drawn: Path) -> pa.Schema:
    return pq.read_schema(next((drawn / WORK).glob("*.parquet")))


def fill_row(template: dict[str, Any], sample: Any, drawn: Path, folder: Path) -> dict[str, Any]:
    """The row of a sample, with a link to its picture."""
    place = (template["row"], template["item_id"], template["sample_index"])
    named = {"item_id": sample.item_id, "sample_index": sample.index, "seed": sample.seed}
    if CONDITIONS[template["row"]].borrows is None:
        link_file(
            locate_picture(drawn, *place),
            locate_picture(folder, template["row"], sample.item_id, sample.index),
        )
    return template | named


def edit(path: Path, below: tuple[str, ...] = (), **values: Any) -> None:
    """Change keys of a JSON file."""
    document = json.loads(path.read_text())
    part = document
    for key in below:
        part = part[key]
    part.update(values)
    path.write_text(json.dumps(document))


def measure(folder: Path, drawn: Path, items: int, samples: int) -> Iterator[tuple[str, Any]]:
    """What merging a run of so many samples takes."""
    model, suite = load_config(folder / "model.yaml", ModelConfig), load_suite(SUITE)
    plan = make_run_plan(model, suite, items, samples_per_item=samples, device="cpu", protocol=None)
    shard = folder / f"shard-{samples}"
    yield "rows", repeat_shard(drawn, shard, plan)
    seconds, memory = call(folder, ["merge", str(shard), "--out", f"run-{samples}"])
    yield "seconds", round(seconds, 1)
    yield "peak_mb", round(memory)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=512)
    parser.add_argument("--samples-per-item", type=int, default=40)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        drawn = draw_shard(folder)
        for samples in (1, chosen.samples_per_item):
            print(json.dumps(dict(measure(folder, drawn, chosen.items, samples))), flush=True)


if __name__ == "__main__":
    main()
