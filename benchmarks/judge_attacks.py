"""Can figures be raised by whoever has the judges? Pictures made for them, scored, and read by the guard.

    lepbench evaluate examples/mini-lep-fast.yaml --limit 64 --out runs/mini-lep-fast
    python benchmarks/judge_attacks.py runs/mini-lep-fast --out docs/judge-attacks.csv

A line a set of pictures: those of the run, pictures made of sketch and caption without a model, true
pictures, and pictures near these of which the judges say more. `guard` is what the guard's bounds say;
`redraw` whether the pictures are those that `verify --redraw` draws, within its tolerance. Sets that are in
OUT are not made again.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from attacks import read, score_set
from judge_climb import climb_judges, embed, fill_by_caption
from numpy.typing import NDArray
from torch import Tensor

from lepbench.evaluation.conditions import MODEL, REAL, UNGUIDED, VAE
from lepbench.evaluation.guard import is_copy, make_guard_terms, weigh_figures
from lepbench.evaluation.judges import load_judges
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.record import read_record
from lepbench.evaluation.redrawn import BOUNDS
from lepbench.evaluation.references import load_references
from lepbench.evaluation.sample import Sample, make_batches
from lepbench.evaluation.schema import list_feature_columns
from lepbench.evaluation.summary import number_pictures, resample_conditions
from lepbench.files import write_text
from lepbench.images import Pixels, to_pixels, to_tensor
from lepbench.judges.clip import ClipScorer
from lepbench.judges.paths import GUARD, JUDGE
from lepbench.metrics.statistics import Draws, Interval
from lepbench.sketchworld import render, scene
from lepbench.suites import load_suite

FIGURES = ("faithful_f1", "edge_f1_1px", "clip_skill", "class_accuracy", "kid")
BLENDS = (0.1, 0.2, 0.4)
"""Shares of the true picture."""
POOL = 3_900_000
"""The first of the train scenes whose renders are what the features of attacked pictures come near to."""
Make = Callable[[], Tensor]
Line = dict[str, str]


def list_sets(known: dict[str, Tensor], batch: Sequence[Sample], steps: int) -> dict[str, Make]:
    """Every set of pictures by name, float [N, 3, H, W] in [0, 1], made when it is asked for.

    Args:
        known: the run's pictures by condition.
        steps: of a long search.
    """
    captions = [sample.item.prompt for sample in batch]
    judge, guard = ClipScorer.load(JUDGE), ClipScorer.load(GUARD)
    starts: dict[str, Make] = {
        "fill": lambda: fill_by_caption([sample.item for sample in batch]),
        MODEL.name: lambda: known[MODEL.name],
    }
    sets: dict[str, Make] = {
        row: partial(known.__getitem__, row) for row in (UNGUIDED.name, REAL.name)
    } | starts
    for share in BLENDS:
        sets[f"model, {share:g} of the true picture"] = partial(
            torch.lerp, known[MODEL.name], known[REAL.name], share
        )
    both = (judge, guard)
    for start, make in starts.items():
        for name, judges in (("judge", (judge,)), ("judge and guard", both)):
            for count, reach in ((2, 8), (30, 8), (steps, 8), (steps, 32)):
                sets[f"{start}, {name}, {count} steps to {reach}/255"] = partial(
                    lambda make, **options: climb_judges(make(), captions, **options),
                    make,
                    judges=judges,
                    steps=count,
                    reach=reach / 255,
                )
    sets[f"fill, judge, guard and its features, {steps} steps to 32/255"] = lambda: climb_judges(
        starts["fill"](), captions, both, steps=steps, reach=32 / 255, targets=draw_targets(guard, len(batch))
    )
    return sets


@torch.no_grad()
def draw_targets(guard: ClipScorer, count: int) -> Tensor:
    """The guard's features of renders of other scenes, float32 [N, D]."""
    numbers = range(POOL, POOL + count)
    return embed(guard, torch.stack([to_tensor(render(scene("train", number)).image) for number in numbers]))


class Terms:
    """A protocol and its judges, and the rows of pictures that they have scored."""

    def __init__(self, protocol: Protocol, batch: list[Sample]) -> None:
        self.protocol, self.batch, self.judges = protocol, batch, load_judges(protocol)
        self.references = load_references(protocol)
        self.frames: dict[str, pd.DataFrame] = {}
        self.features: dict[str, dict[str, NDArray[np.float32]]] = {}

    def measure(self, rows: dict[str, Pixels]) -> dict[str, dict[str, Draws]]:
        """The figures of rows of pictures with their resamples; each row is scored once."""
        for row in rows.keys() - self.frames.keys():
            frame = score_set(row, rows[row], self.batch, judges=self.judges, protocol=self.protocol)
            columns = list_feature_columns(self.protocol)
            self.features[row] = {c.partition("@")[2]: np.stack(frame.pop(c).to_list()) for c in columns}
            self.frames[row] = frame
        samples = number_pictures(pd.concat([self.frames[row] for row in rows]))
        return resample_conditions(samples, self.features, self.references, self.protocol)


def measure_set(name: str, pixels: Pixels, known: dict[str, Pixels], *, ranking: Terms, guard: Terms) -> Line:
    """A line of the table."""
    rows = {row: known[row] for row in (REAL.name, UNGUIDED.name)} | {name: pixels}
    figures = {full.split("@")[0]: drawn for full, drawn in ranking.measure(rows)[name].items()}
    report = weigh_figures(guard.measure(rows), name, guard.protocol)
    copies = [is_copy(*three) for three in zip(pixels, known[REAL.name], known[VAE.name], strict=True)]
    report = replace(report, copied=float(np.mean(copies)))
    away = np.abs(pixels.astype(np.int16) - known[MODEL.name]).mean((1, 2, 3)) / 255
    return {
        "set": name,
        "items": str(len(pixels)),
        **{key: show_interval(figures[key].interval()) for key in FIGURES if key in figures},
        "skill_gap": show_interval(report.skill_gap),
        "skill_gain": show_interval(report.skill_gain),
        "kid_loss": show_interval(report.kid_loss),
        "copied": f"{report.copied:.2f}",
        "guard": ", ".join(report.failed) or "passed",
        "redraw": "passed" if (away <= BOUNDS.mean).all() else "refused",
    }


def show_interval(found: Interval | None) -> str:
    """A figure and its interval in one cell."""
    return "" if found is None else f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=100, help="of a long search  [default: 100]")
    parser.add_argument("--only", default="", help="sets whose names contain this")
    chosen = parser.parse_args()
    record = read_record(chosen.run)
    suite, guarding = load_suite(record.identity.suite), make_guard_terms(record.protocol)
    assert guarding is not None, "the run's protocol has no judge that has a guard"
    items = suite.take(record.identity.items)
    batch = [s for part in make_batches(suite, items, 1, record.protocol.batch_size) for s in part]
    known = {
        row: read(chosen.run, row, items.ids) for row in (MODEL.name, UNGUIDED.name, REAL.name, VAE.name)
    }
    lines = (
        pd.read_csv(chosen.out, dtype=str, keep_default_na=False) if chosen.out.is_file() else pd.DataFrame()
    )
    done = set(lines.get("set", ()))
    ranking, guard = Terms(record.protocol, batch), Terms(guarding, batch)
    tensors = {row: to_tensor(pixels) for row, pixels in known.items()}
    for name, make in list_sets(tensors, batch, chosen.steps).items():
        if chosen.only in name and name not in done:
            line = measure_set(name, to_pixels(make()), known, ranking=ranking, guard=guard)
            lines = pd.concat([lines, pd.DataFrame([line])])
            write_text(chosen.out, lines.to_csv(index=False))
            print(" | ".join(line.values()), flush=True)


if __name__ == "__main__":
    main()
