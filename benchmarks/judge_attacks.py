"""Can figures be raised by whoever has the judges? Pictures made for them, scored, and read by the guard.

    lepbench evaluate examples/mini-lep-fast.yaml --limit 64 --out runs/mini-lep-fast
    lepbench evaluate examples/mini-lep-fast.yaml --limit 64 --samples-per-item 8 --out runs/mini-lep-fast-8
    lepbench mini train guard --recipe own.yaml --out work
    python benchmarks/judge_attacks.py runs/mini-lep-fast --seeds runs/mini-lep-fast-8 --own work/guard@1 \
        --out docs/judge-attacks.csv

A line a set of pictures: those of the run, the best of several seeds, pictures made of sketch and caption
without a model, true pictures, and pictures near these of which the judges say more. `guard` is what the
guard's bounds say, `own_guard` those of a guard that no attack knows; `redraw` whether the pictures are those
that `verify --redraw` draws, within its tolerance. Sets that are in OUT are not made again.
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
from judge_climb import (
    Wish,
    climb,
    embed,
    fill_by_caption,
    wish_captions,
    wish_classes,
    wish_features,
)
from numpy.typing import NDArray
from torch import Tensor

from lepbench.evaluation.conditions import MODEL, REAL, UNGUIDED, VAE
from lepbench.evaluation.guard import is_copy, make_guard, make_guard_terms, weigh_figures
from lepbench.evaluation.judges import load_judges
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.record import read_record
from lepbench.evaluation.redrawn import BOUNDS
from lepbench.evaluation.references import load_references
from lepbench.evaluation.sample import Sample, make_batches
from lepbench.evaluation.schema import list_feature_columns
from lepbench.evaluation.summary import number_pictures, resample_conditions
from lepbench.files import write_text
from lepbench.images import Pixels, open_rgb, to_pixels, to_tensor
from lepbench.judges import JudgeConfig
from lepbench.judges.classifier import load_probe
from lepbench.judges.clip import ClipScorer
from lepbench.judges.paths import GUARD, JUDGE, PROBE
from lepbench.metrics.statistics import Draws, Interval
from lepbench.sketchworld import render, scene
from lepbench.suites import load_suite

FIGURES = ("faithful_f1", "edge_f1_1px", "clip_skill", "class_accuracy", "kid")
BLENDS = (0.1, 0.2, 0.4)
"""Shares of the true picture."""
POOL = 3_900_000
"""The first of the train scenes whose renders are what the features of attacked pictures come near to."""
Make = Callable[[], Tensor]
Search = tuple[tuple[str, ...], int, int, float]
Line = dict[str, str]


def list_sets(known: dict[str, Tensor], batch: Sequence[Sample], steps: int) -> dict[str, Make]:
    """Every set of pictures by name, float [N, 3, H, W] in [0, 1], made when it is asked for.

    Args:
        known: the run's pictures by condition.
        steps: of a long search.
    """
    items = [sample.item for sample in batch]
    starts: dict[str, Make] = {
        "fill": lambda: fill_by_caption(items),
        MODEL.name: lambda: known[MODEL.name],
    }
    sets: dict[str, Make] = {
        row: partial(known.__getitem__, row) for row in (UNGUIDED.name, REAL.name)
    } | starts
    for share in BLENDS:
        sets[f"model, {share:g} of the true picture"] = partial(
            torch.lerp, known[MODEL.name], known[REAL.name], share
        )
    wishes = list_wishes(batch)
    for start, searches in list_searches(steps).items():
        for names, count, reach, pull in searches:
            asked = [wish for name in names for wish in wishes[name]]
            rate = f"{pull * reach / count:.2g}/255 a step"
            sets[f"{start}, {' and '.join(names)}, {count} steps to {reach}/255, {rate}"] = partial(
                lambda make, asked, **options: climb(make(), asked, **options),
                starts[start],
                asked,
                steps=count,
                reach=reach / 255,
                pull=pull,
            )
    return sets


def list_searches(steps: int) -> dict[str, list[Search]]:
    """Whom pictures are changed to please, steps, bound of 255 and pull of `climb`, by what they start as."""
    kinds = ((2, 8, 2.5), (30, 8, 2.5), (steps, 8, 2.5), (steps, 32, 2.5), (steps, 32, 10.0))
    judges = (("judge",), ("judge", "guard"))
    more = (("features",), ("classifier",), ("features", "classifier"))
    usual: list[Search] = [(names, *kind) for names in judges for kind in kinds]
    return {
        "fill": usual + [(("judge", "guard", *names), steps, 32, 2.5) for names in more],
        MODEL.name: usual,
    }


def list_wishes(batch: Sequence[Sample]) -> dict[str, list[Wish]]:
    """What pictures are changed for, by a short name; `features` are the guard's of real renders."""
    items = [sample.item for sample in batch]
    captions = [item.prompt for item in items]
    judge, guard = ClipScorer.load(JUDGE), ClipScorer.load(GUARD)
    return {
        "judge": [wish_captions(judge, captions)],
        "guard": [wish_captions(guard, captions)],
        "features": [wish_features(guard, draw_targets(guard, len(batch)))],
        "classifier": [wish_classes(load_probe(PROBE), [item.label for item in items])],
    }


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


class Table:
    """What the verifier finds of sets of pictures, a line a set.

    Args:
        known: the run's pictures by condition.
        own: a guard that no attack knows.
    """

    def __init__(
        self, protocol: Protocol, batch: list[Sample], known: dict[str, Pixels], own: JudgeConfig | None
    ) -> None:
        guards = {"guard": make_guard_terms(protocol)}
        if own:
            guards["own_guard"] = make_guard_terms(protocol, own)
        self.known, self.ranking = known, Terms(protocol, batch)
        self.guards = {name: Terms(terms, batch) for name, terms in guards.items() if terms}

    def measure(self, name: str, pixels: Pixels) -> Line:
        """A line of the table."""
        rows = {row: self.known[row] for row in (REAL.name, UNGUIDED.name)} | {name: pixels}
        figures = {full.split("@")[0]: drawn for full, drawn in self.ranking.measure(rows)[name].items()}
        copied = zip(pixels, self.known[REAL.name], self.known[VAE.name], strict=True)
        share = float(np.mean([is_copy(*three) for three in copied]))
        reports = {
            guard: replace(weigh_figures(terms.measure(rows), name, terms.protocol), copied=share)
            for guard, terms in self.guards.items()
        }
        found = reports["guard"]
        away = np.abs(pixels.astype(np.int16) - self.known[MODEL.name]).mean((1, 2, 3)) / 255
        return {
            "set": name,
            "items": str(len(pixels)),
            **{key: show_interval(figures[key].interval()) for key in FIGURES if key in figures},
            "skill_gap": show_interval(found.skill_gap),
            "skill_gain": show_interval(found.skill_gain),
            "kid_loss": show_interval(found.kid_loss),
            "class_loss": show_interval(found.class_loss),
            "copied": f"{share:.2f}",
            **{guard: ", ".join(report.failed) or "passed" for guard, report in reports.items()},
            "redraw": "passed" if (away <= BOUNDS.mean).all() else "refused",
        }


def find_best_seeds(run: Path, items: Sequence[str]) -> Pixels:
    """Of the samples of each item of a run, that of the highest edge F1 times similarity to the caption."""
    samples = read_record(run).samples()
    samples = samples[samples["row"] == MODEL.name]
    likeness = next(name for name in samples if str(name).startswith("clip_similarity@"))
    samples = samples.assign(headline=samples["edge_f1_1px"] * samples[likeness])
    best = samples.sort_values("headline").groupby("item_id")["picture"].last()
    return np.stack([np.asarray(open_rgb(Path(best[item]))) for item in items])


def show_interval(found: Interval | None) -> str:
    """A figure and its interval in one cell."""
    return "" if found is None else f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=500, help="of a long search  [default: 500]")
    parser.add_argument("--only", nargs="+", help="names of sets, without bound and rate")
    parser.add_argument("--seeds", type=Path, help="run of the same items with several samples each")
    parser.add_argument("--own", type=Path, help="folder of a guard that no attack knows")
    return parser.parse_args()


def main() -> None:
    chosen = arguments()
    record = read_record(chosen.run)
    suite = load_suite(record.identity.suite)
    items = suite.take(record.identity.items)
    batch = [s for part in make_batches(suite, items, 1, record.protocol.batch_size) for s in part]
    known = {
        row: read(chosen.run, row, items.ids) for row in (MODEL.name, UNGUIDED.name, REAL.name, VAE.name)
    }
    own = make_guard(chosen.own) if chosen.own else None
    table = Table(record.protocol, batch, known, own)
    sets = list_sets({row: to_tensor(pixels) for row, pixels in known.items()}, batch, chosen.steps)
    if chosen.seeds:
        sets["model, best of several seeds"] = lambda: to_tensor(find_best_seeds(chosen.seeds, items.ids))
    path = chosen.out
    lines = pd.read_csv(path, dtype=str, keep_default_na=False) if path.is_file() else pd.DataFrame()
    done = set(lines.get("set", ()))
    for name, make in sets.items():
        if name in done or (chosen.only and name.partition(" steps")[0] not in chosen.only):
            continue
        line = table.measure(name, to_pixels(make()))
        lines = pd.concat([lines, pd.DataFrame([line])])
        write_text(path, lines.to_csv(index=False))
        print(" | ".join(line.values()), flush=True)


if __name__ == "__main__":
    main()
