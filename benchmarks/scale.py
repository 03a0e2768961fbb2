"""Processor time and bytes a picture of every stage of an evaluation, and a run that they predict.

    OMP_NUM_THREADS=1 python benchmarks/scale.py --items 32 --check 1000

A suite of --check items of sketchworld is made. Its first --items are drawn and scored as a shard, whose
stages are timed in their place; their rows are repeated to a shard of the whole suite, and merged, which
times the end of a run of that size. From these follows the processor time of the run of all items, which is
then taken; the stages are timed once more after it, and their mean counts. Processor time, as other
processes of a machine change the time on the clock. On stdout, as JSON:

    load_s             backbone, method and judges
    seconds            a picture: drawing of each condition, scoring, storing, of which encoding
    end_s              figures and report
    bytes              of a picture: encoded, its row while a run goes on, its row in samples.parquet
    predicted_s, measured_s, error
    clock_s            of the run that was predicted
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from finish_memory import repeat_shard
from stage_times import StageTimes

from lepbench.api.preparing import Asked, Doing
from lepbench.api.running import evaluate_asked
from lepbench.api.shares import evaluate_share, merge
from lepbench.config import load_config
from lepbench.evaluation.condition_table import WORK
from lepbench.evaluation.conditions import CONDITIONS
from lepbench.evaluation.layout import SAMPLES
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import select_protocol
from lepbench.evaluation.run import make_run_plan
from lepbench.evaluation.run_plan import RunPlan
from lepbench.methods import ModelConfig
from lepbench.shares import Share
from lepbench.suite_sources.sketchworld import RECIPES, make_suite
from lepbench.suites import Suite

RECIPE = "sketchworld-edges-v1"


class Case(NamedTuple):
    """A model on a suite, in a folder of its own."""

    folder: Path
    model: ModelConfig
    suite: Suite
    protocol: Protocol

    def plan(self, items: int) -> RunPlan:
        """The run of some items."""
        return make_run_plan(
            self.model, self.suite, items, samples_per_item=1, device="cpu", protocol=self.protocol
        )

    def count_pictures(self, items: int) -> dict[str, int]:
        """The pictures of each condition."""
        plan = self.plan(items)
        return {kind.name: sum(map(len, plan.make_batches(kind))) for kind in plan.kinds}

    def use_cache(self, name: str) -> None:
        """Draw references anew."""
        os.environ["LEPBENCH_CACHE"] = str(self.folder / f"cache-{name}")


class Stages(NamedTuple):
    """What stages take: of a picture by name, or of a run."""

    seconds: dict[str, float]
    loading: float
    bytes: dict[str, int]

    def predict(self, counts: dict[str, int], end: float) -> float:
        """Seconds of a run of so many pictures."""
        drawing = sum(count * self.seconds.get(f"drawing, {name}", 0.0) for name, count in counts.items())
        others = sum(counts.values()) * (self.seconds["scoring"] + self.seconds["storing"])
        return self.loading + drawing + others + end


def make_case(folder: Path, model: Path, protocol: str | None, items: int) -> Case:
    recipe = RECIPES.get(RECIPE).model_copy(
        update={"name": "sketchworld-many", "items": items, "default_items": items}
    )
    make_suite(recipe, folder / "suite")
    suite = Suite(folder / "suite")
    return Case(folder, load_config(model, ModelConfig), suite, select_protocol(suite, protocol))


def measure_stages(case: Case, items: int, name: str) -> tuple[Stages, Path]:
    """The stages of a shard of some items, and its folder."""
    case.use_cache(name)
    times, out = StageTimes(), case.folder / f"shard-{name}"
    with times.timing():
        asked = Asked(limit=items, device="cpu", protocol=case.protocol)
        evaluate_share(case.model, case.suite, Share(1, 1), out, asked=asked, doing=Doing(progress=False))
    counts = case.count_pictures(items)
    total = sum(counts.values())
    each = {
        stage: seconds / counts.get(stage.removeprefix("drawing, "), total)
        for stage, seconds in times.seconds.items()
        if stage != "loading"
    }
    drawn = [name for name in counts if CONDITIONS[name].borrows is None]
    sizes = {
        "encoded": measure_files(out / "samples", "*/*.png") // sum(counts[name] for name in drawn),
        "row": measure_files(out / WORK, "*.parquet") // total,
    }
    return Stages(each, times.seconds["loading"], sizes), out


def measure_files(folder: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in folder.glob(pattern))


def measure_end(case: Case, drawn: Path, items: int) -> tuple[dict[str, float], int]:
    """Seconds of the stages at the end of a run of so many items, and the bytes of a row of its samples."""
    times, many = StageTimes(), case.folder / "repeated"
    rows = repeat_shard(drawn, many, case.plan(items))
    with times.timing():
        merge([many], case.folder / "merged", case.suite)
    return dict(times.seconds), (case.folder / "merged" / SAMPLES).stat().st_size // rows


def measure_run(case: Case, items: int) -> tuple[float, float]:
    """Seconds of a run, of the processor and on the clock."""
    case.use_cache("run")
    started, busy = time.perf_counter(), time.process_time()
    asked = Asked(limit=items, device="cpu", protocol=case.protocol)
    evaluate_asked(case.model, case.suite, case.folder / "run", asked, doing=Doing(progress=False))
    return time.process_time() - busy, time.perf_counter() - started


def average(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    """The mean of each value."""
    return {name: value / 2 for name, value in (Counter(one) + Counter(other)).items()}


def measure(case: Case, items: int, check: int) -> dict[str, Any]:
    """All figures."""
    before, drawn = measure_stages(case, items, "before")
    end, row = measure_end(case, drawn, check)
    measured, clock = measure_run(case, check)
    after, _ = measure_stages(case, items, "after")
    stages = Stages(average(before.seconds, after.seconds), before.loading, before.bytes)
    predicted = stages.predict(case.count_pictures(check), sum(end.values()))
    return {
        "load_s": round(stages.loading, 1),
        "seconds": {name: round(value, 5) for name, value in stages.seconds.items()},
        "end_s": {name: round(value, 1) for name, value in end.items()},
        "bytes": stages.bytes | {"row in samples.parquet": row},
        "predicted_s": round(predicted, 1),
        "measured_s": round(measured, 1),
        "error": round(predicted / measured - 1, 3),
        "clock_s": round(clock, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=Path("examples/mini-unguided.yaml"))
    parser.add_argument("--protocol", help="a name or a YAML file; the suite's own unless given")
    parser.add_argument("--items", type=int, default=32, help="on which stages are timed")
    parser.add_argument("--check", type=int, default=1000, help="items of the run that is predicted")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        case = make_case(Path(place), chosen.model, chosen.protocol, chosen.check)
        print(json.dumps(measure(case, chosen.items, chosen.check), indent=1))


if __name__ == "__main__":
    main()
