"""Runs killed at random moments, again and again, against one that was left alone.

    python benchmarks/evaluate_kills.py --verb evaluate --kills 20

Both are run as a person would, each in a process of its own: `evaluate` of the mini model with two workers,
`train-lep` on a small data set, `run` of a sweep of two models with two workers. Of every second `evaluate`
and `run` one worker is killed (SIGKILL), which the run outlives; else all processes are, and the command is
given again. On stdout, as JSON: kills, runs that ended before theirs, and whether what counts was equal at
every end: of a run its samples, features, pictures and record but for times and memory, of a training the
predictor's weights.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psutil

TIMED = ("timing", "peak_memory_bytes", "peak_accelerator_bytes", "reused")
MODEL = "name: killed\nmethod: unguided\nsampler: {steps: 5}\n"
TRAINING = "data: triplets\nvalidation: 0.2\nsteps: 40\nbatch: 8\nseed: 0\n"
SET = """name: killed
suites: [sketchworld-edges-v1]
protocols: [edges.yaml]
limit: 4
models:
  - {name: plain, method: unguided, sweep: {sampler.steps: [2, 4]}}
"""


PROTOCOL = "name: edges-alone\nmeasures: [edges]\njudges: []\n"


class Case(NamedTuple):
    """A command, and a hash of what counts of its folder."""

    options: list[str]
    digest: Callable[[Path], str]
    workers: bool


def list_cases(items: int) -> dict[str, Case]:
    evaluate = ["evaluate", "model.yaml", "--limit", str(items), "--workers", "2"]
    return {
        "evaluate": Case(evaluate, digest_run, True),
        "train-lep": Case(["train-lep", "training.yaml", "--device", "cpu"], digest_training, False),
        "run": Case(["run", "set.yaml", "--workers", "2"], digest_set, True),
    }


def prepare(folder: Path, verb: str) -> None:
    """The files that the commands read."""
    (folder / "model.yaml").write_text(MODEL)
    (folder / "training.yaml").write_text(TRAINING)
    (folder / "edges.yaml").write_text(PROTOCOL)
    if verb == "train-lep":
        call(folder, ["build-data", "sketchworld", "--limit", "64", "--out", "triplets"], "build").wait()


def call(folder: Path, options: list[str], cache: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "lepbench", *options],
        cwd=folder,
        env=os.environ | {"LEPBENCH_CACHE": str(folder / f"cache-{cache}")},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def run(folder: Path, case: Case, out: str, seconds: float | None, one_worker: bool = False) -> bool:
    """Run to the end, or kill after so many seconds; whether it came to its end."""
    options = case.options
    if options[0] == "run":
        (folder / "set.yaml").write_text(f"{SET}out: {out}\n")
    else:
        options = [*options, "--out", out]
    process = call(folder, options, out)
    try:
        process.wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        pass
    if one_worker:
        workers = psutil.Process(process.pid).children(recursive=True)
        leaves = [worker for worker in workers if not worker.children()]
        if leaves:
            leaves[0].kill()
        process.wait()
        return False
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return False


def hash_files(out: Path, places: list[str]) -> str:
    running = hashlib.sha256()
    for path in sorted(path for place in places for path in out.rglob(place) if path.is_file()):
        running.update(str(path.relative_to(out)).encode() + b"\0" + path.read_bytes())
    return running.hexdigest()


def digest_run(out: Path) -> str:
    record = json.loads((out / "record.json").read_text())
    for key in TIMED:
        record.pop(key, None)
    for cost in record.get("cost", {}).values():
        cost.pop("seconds")
    files = hash_files(out, ["samples.parquet", "features/*", "samples/*/*"])
    return files + hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def digest_set(out: Path) -> str:
    return "".join(digest_run(path.parent) for path in sorted(out.rglob("record.json")))


def digest_training(out: Path) -> str:
    return hash_files(out, ["predictor.safetensors", "config.json"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--verb", choices=list(list_cases(1)), default="evaluate")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--items", type=int, default=32, help="of an evaluation")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    case, moments = list_cases(chosen.items)[chosen.verb], random.Random(chosen.seed)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        prepare(folder, chosen.verb)
        started = time.monotonic()
        run(folder, case, "alone", None)
        whole, expected = time.monotonic() - started, case.digest(folder / "alone")
        print(f"left alone: {whole:.0f} s", file=sys.stderr)
        hits = ends = 0
        equal = True
        while hits < chosen.kills:
            one_worker = case.workers and hits % 2 == 1
            # Some kills come while things are being imported, some in the middle, some at the end.
            ended = run(folder, case, "killed", seconds=moments.uniform(0, whole), one_worker=one_worker)
            ends, hits = ends + ended, hits + (not ended)
            if ended or one_worker:
                run(folder, case, "killed", None)  # what a lost worker left is tried again
                equal = equal and case.digest(folder / "killed") == expected
                shutil.rmtree(folder / "killed")
                shutil.rmtree(folder / "cache-killed", ignore_errors=True)
            print(f"{hits} killed, {ends} ended before, equal: {equal}", file=sys.stderr)
        run(folder, case, "killed", None)
        equal = equal and case.digest(folder / "killed") == expected
    print(json.dumps({"verb": chosen.verb, "kills": hits, "ends": ends, "equal": equal}))


if __name__ == "__main__":
    main()
