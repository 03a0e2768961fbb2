"""A second judge's word on a run's pictures: whether they were made for the judge that ranks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from lepbench.evaluation.conditions import MODEL, REAL, UNGUIDED, VAE, ConditionKind
from lepbench.evaluation.figure_names import label_figure
from lepbench.evaluation.layout import locate_picture
from lepbench.evaluation.measures.base import Features
from lepbench.evaluation.measures.captions import name_similarities
from lepbench.evaluation.protocol import ITEMS, Protocol
from lepbench.evaluation.record import Record
from lepbench.evaluation.sample import Sample, make_batches
from lepbench.evaluation.samples_table import read_samples
from lepbench.evaluation.schema import FEATURES
from lepbench.evaluation.score import score_pictures
from lepbench.evaluation.summary import number_pictures, resample_conditions
from lepbench.evaluation.verification_levels import BOUNDS
from lepbench.images import Pixels, open_rgb
from lepbench.judges import (
    ClipJudgeConfig,
    JudgeConfig,
    Judges,
    LoadedJudge,
    SketchworldClipConfig,
    SketchworldGuardConfig,
    load_judge,
)
from lepbench.metrics.statistics import Draws, Interval
from lepbench.progress import Progress, ignore_progress
from lepbench.suites import Suite

AT_ONCE = 32
"""Pictures."""
GUARDED = ("captions", "distances")
"""The measures that the guard counts; `classes` are taken from the run's samples."""
CLASSES: Literal["classes"] = "classes"
READ = (MODEL, UNGUIDED, REAL)
"""The conditions whose pictures the guard reads."""
GAP = 0.03
"""Of `clip_skill` by the ranking judge less that by the guard, and less that of unguided pictures, which no
sketch bends: see docs/metric-experiments.md for what honest methods and attacks have."""
LOSS = 0.5
"""Of KID to real pictures by the guard, less that of unguided ones."""
LOST = 0.5
"""Of `class_accuracy`, below that of unguided pictures."""
COPIED = 0.05
"""Share of the pictures that are copies of the true ones."""
ROOM = 1.05
"""Times the distance that the backbone's autoencoder alone leaves: what is nearer to the true picture is a
copy, since a model draws through that autoencoder. Honest pictures have 1.1 and more."""
NEAR, FAR = 2.5, 8.0
"""Distances in grey levels a channel within which that bound is kept, whatever the autoencoder is."""


@dataclass(frozen=True)
class GuardReport:
    """What the guard says of a run's pictures.

    Attributes:
        skill_gap: `clip_skill` by the ranking judge less that by the guard, paired.
        skill_gain: `clip_skill` by the ranking judge less that of unguided pictures.
        kid_loss: KID to the real pictures by the guard, less that of unguided ones.
        class_loss: `class_accuracy` of unguided pictures less that of these.
        copied: the share of pictures nearer to the true ones than the autoencoder leaves them; None where the
            run has none that only the autoencoder changed.

    A difference is None where it is not defined, or nothing is unguided.
    """

    skill_gap: Interval | None = None
    skill_gain: Interval | None = None
    kid_loss: Interval | None = None
    class_loss: Interval | None = None
    copied: float | None = None

    @property
    def failed(self) -> tuple[str, ...]:
        """The bounds that the pictures are beyond, by whole intervals; names of `BOUNDS`."""
        beyond = (
            _is_above(self.skill_gap, GAP) or _is_above(self.skill_gain, GAP),
            _is_above(self.kid_loss, LOSS),
            _is_above(self.class_loss, LOST),
            self.copied is not None and self.copied > COPIED,
        )
        return tuple(name for name, is_beyond in zip(BOUNDS, beyond, strict=True) if is_beyond)

    def __str__(self) -> str:
        said = [
            text.format(found.value)
            for found, text in (
                (self.skill_gap, "clip_skill {:+.3f} against that by the guard"),
                (self.skill_gain, "{:+.3f} against that of unguided pictures"),
                (self.kid_loss, "KID {:+.2f} against theirs"),
                (self.class_loss, "class accuracy {:.2f} below theirs"),
            )
            if found is not None
        ]
        if self.copied is not None:
            said.append(f"{self.copied:.0%} of the pictures are copies of the true ones")
        failed = f"; failed: {', '.join(self.failed)}" if self.failed else ""
        return ", ".join(said) + failed


def make_guard_terms(protocol: Protocol, guard: JudgeConfig | None = None) -> Protocol | None:
    """The protocol's captions by its ranking judge and by a guard, KID by the guard, and classes as they are.

    Args:
        guard: another CLIP model than ships, whose weights no submitter has.

    Returns:
        None where no judge of the protocol has a guard.
    """
    ranking = next((judge for judge in protocol.judges if isinstance(judge, SketchworldClipConfig)), None)
    if ranking is None:
        return None
    measures: tuple[str, ...] = GUARDED
    judges: tuple[JudgeConfig, ...] = (
        ranking.model_copy(update={"use": ("captions",)}),
        guard or SketchworldGuardConfig(),
    )
    if CLASSES in protocol.measures:
        measures += (CLASSES,)
        judges += tuple(
            judge.model_copy(update={"use": (CLASSES,)}) for judge in protocol.find_judges(CLASSES)
        )
    changes = {"measures": measures, "judges": judges, "where_known": (), "by_level": ()}
    return protocol.model_copy(update={**changes, "reference": ITEMS, "reference_sha256": None})


def make_guard(folder: Path) -> JudgeConfig:
    """A guard of one's own: a `transformers.CLIPModel` with its tokenizer and image processor.

    Raises:
        LepbenchError: there is no such folder.
    """
    return ClipJudgeConfig(model=str(folder), label="guard", use=("captions", "features"))


@lru_cache(maxsize=1)
def _load_guard(guard: JudgeConfig, device: str) -> LoadedJudge:
    """The guard, kept for the next run."""
    return load_judge(guard, device)


def guard_run(
    folder: Path,
    record: Record,
    suite: Suite,
    *,
    guard: JudgeConfig | None = None,
    device: str = "cpu",
    progress: Progress = ignore_progress,
) -> GuardReport | None:
    """Read a verified run's pictures by a guard.

    What the ranking judge says of them is taken from the run's samples.

    Args:
        guard: as of `make_guard_terms`.
        device: where it runs.
        progress: called with (stage, done, total): the condition, its samples done, its samples in all.

    Returns:
        None where the suite has no real pictures, or no judge that scores captions has a guard.

    Raises:
        LepbenchError: the guard cannot be loaded.
    """
    terms = make_guard_terms(record.protocol, guard)
    if terms is None or REAL.name not in record.rows:
        return None
    label = terms.judges[1].label
    judges = Judges.of({label: _load_guard(terms.judges[1], device)})
    stored = read_samples(folder, record.protocol)
    if name_similarities(terms.judges[0].label)[0] not in stored:
        return None
    frames, features = [], dict[str, dict[str, Features]]()
    for kind in (kind for kind in READ if kind.name in record.rows):
        found = _read_condition(kind, folder, record, suite, terms=terms, judges=judges, progress=progress)
        features[kind.name] = {label: np.stack([line.pop(f"{FEATURES}@{label}") for line in found])}
        lines = stored[stored["row"] == kind.name].reset_index(drop=True)
        frames.append(lines.assign(**pd.DataFrame(found)))
    drawn = resample_conditions(number_pictures(pd.concat(frames)), features, {}, terms)
    report = weigh_figures(drawn, MODEL.name, terms)
    return replace(report, copied=_measure_copied(folder, record, suite))


def _measure_copied(folder: Path, record: Record, suite: Suite) -> float | None:
    """The share of copies among a run's pictures."""
    if VAE.name not in record.rows:
        return None
    items, count = suite.take(record.identity.items), record.identity.samples_per_item

    def load(kind: ConditionKind, sample: Sample) -> Pixels:
        index = sample.index if kind.repeats else 0
        return np.asarray(open_rgb(locate_picture(folder, kind.name, sample.item_id, index)))

    copies = [
        is_copy(*(load(kind, sample) for kind in (MODEL, REAL, VAE)))
        for batch in make_batches(suite, items, count, AT_ONCE)
        for sample in batch
    ]
    return sum(copies) / len(copies)


def is_copy(picture: Pixels, real: Pixels, coded: Pixels) -> bool:
    """Whether a picture is as near to the true one as that is to what the autoencoder makes of it.

    Args:
        picture: uint8 [H, W, 3].
        real: the true one of its item.
        coded: that after the backbone's autoencoder.
    """
    away, room = (float(np.abs(real.astype(np.int16) - other).mean()) for other in (picture, coded))
    return away <= min(max(ROOM * room, NEAR), FAR)


def _read_condition(
    kind: ConditionKind,
    folder: Path,
    record: Record,
    suite: Suite,
    *,
    terms: Protocol,
    judges: Judges,
    progress: Progress,
) -> list[dict[str, Any]]:
    """The guard's columns of a condition's stored pictures, a mapping each."""
    alone = terms.model_copy(update={"measures": GUARDED, "judges": terms.judges[1:2]})
    items, per_item = suite.take(record.identity.items), kind.count_samples(record.identity.samples_per_item)
    batches = list(make_batches(suite, items, per_item, AT_ONCE))
    found: list[dict[str, Any]] = []
    for batch in batches:
        paths = [locate_picture(folder, kind.name, sample.item_id, sample.index) for sample in batch]
        pictures = np.stack([np.asarray(open_rgb(path)) for path in paths])
        truths = [sample.item for sample in batch]
        found += score_pictures(pictures, batch, truths=truths, judges=judges, protocol=alone)
        progress(f"guard: {kind.name}", len(found), sum(map(len, batches)))
    return found


def weigh_figures(drawn: Mapping[str, Mapping[str, Draws]], row: str, terms: Protocol) -> GuardReport:
    """The guard's report of a row of pictures, from the figures of all with their resamples.

    Args:
        drawn: of `resample_conditions` by the terms.
        row: whose pictures are asked about; those of `unguided` are what KID is compared with.
        terms: of `make_guard_terms`.
    """
    ranking, guard = (judge.label for judge in terms.judges[:2])
    shown, unguided = drawn[row], drawn.get(UNGUIDED.name, {})
    classes = label_figure("class_accuracy", terms.judges[-1].label)

    def subtract(first: Draws | None, second: Draws | None) -> Interval | None:
        return None if first is None or second is None else first.minus(second).interval(terms.confidence)

    skill, distance = label_figure("clip_skill", ranking), label_figure("kid", guard)
    return GuardReport(
        skill_gap=subtract(shown.get(skill), shown.get(label_figure("clip_skill", guard))),
        skill_gain=subtract(shown.get(skill), unguided.get(skill)),
        kid_loss=subtract(shown.get(distance), unguided.get(distance)),
        class_loss=subtract(unguided.get(classes), shown.get(classes)),
    )


def _is_above(found: Interval | None, bound: float) -> bool:
    return found is not None and found.low > bound
