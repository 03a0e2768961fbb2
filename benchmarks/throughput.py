"""Pictures a second by batch size: drawn alone, and drawn, scored, encoded and stored as in an evaluation.

    python benchmarks/throughput.py examples/mini-lep-fast.yaml examples/mini-live.yaml \
        --out docs/throughput.csv

The two are timed in turn on the same items, in this process; the median of the rounds counts. `ratio` is the
time of the second to that of the first, `processor_ratio` the same of processor time, which other work on the
machine changes less.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from drawn import draw_condition
from guided_step import seconds

from lepbench.backbones import load_backbone
from lepbench.config import load_config
from lepbench.evaluation.conditions import Condition, make_model_condition
from lepbench.evaluation.judges import load_judges
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import select_protocol
from lepbench.evaluation.sample import Batch, make_batches
from lepbench.files import write_text
from lepbench.judges import Judges
from lepbench.methods import ModelConfig
from lepbench.suites import load_suite

SUITE = "sketchworld-edges-v1"


def draw_alone(row: Condition, batches: Sequence[Batch]) -> None:
    for batch in batches:
        row.draw(batch)


def evaluate_all(row: Condition, batches: Sequence[Batch], judges: Judges, protocol: Protocol) -> None:
    with tempfile.TemporaryDirectory() as folder:
        draw_condition(Path(folder), row, batches, judges=judges, protocol=protocol)


def measure_size(
    row: Condition, batches: Sequence[Batch], protocol: Protocol, rounds: int
) -> dict[str, float]:
    """A line of the table."""
    judges, pictures = load_judges(protocol), sum(map(len, batches))
    draw_alone(row, batches[:1])
    evaluate_all(row, batches[:1], judges, protocol)
    alone, whole = list[tuple[float, float]](), list[tuple[float, float]]()
    for _ in range(rounds):
        alone.append(seconds(lambda: draw_alone(row, batches)))
        whole.append(seconds(lambda: evaluate_all(row, batches, judges, protocol)))
    (drawn, drawn_cpu), (scored, scored_cpu) = (
        [statistics.median(column) for column in zip(*taken, strict=True)] for taken in (alone, whole)
    )
    return {
        "drawn_s": round(pictures / drawn, 3),
        "evaluated_s": round(pictures / scored, 3),
        "ratio": round(scored / drawn, 3),
        "processor_ratio": round(scored_cpu / drawn_cpu, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", type=Path, metavar="MODEL.yaml")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 4, 8, 16])
    parser.add_argument("--items", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    suite = load_suite(SUITE)
    protocol, lines = select_protocol(suite), []
    for path in chosen.models:
        model = load_config(path, ModelConfig)
        row = make_model_condition(model.method.build(load_backbone(str(model.backbone)), model.sampler))
        for size in chosen.batch:
            batches = list(make_batches(suite, suite.take(chosen.items), 1, size))
            found = measure_size(row, batches, protocol, chosen.rounds)
            lines.append({"model": model.name, "batch": size, "items": chosen.items, **found})
            print(lines[-1], flush=True)
            write_text(chosen.out, pd.DataFrame(lines).to_csv(index=False))


if __name__ == "__main__":
    main()
