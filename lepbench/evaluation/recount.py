"""Score the stored pictures of a run again, and hold every column and feature against the stored."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lepbench.errors import LepbenchError
from lepbench.evaluation.conditions import MODEL, ConditionKind, list_conditions
from lepbench.evaluation.features import read_features
from lepbench.evaluation.figure_names import label_figure
from lepbench.evaluation.layout import locate_picture
from lepbench.evaluation.measures.base import Features, select_measures
from lepbench.evaluation.parts import hash_protocol
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.record import Record, read_record
from lepbench.evaluation.sample import Batch, make_batches
from lepbench.evaluation.samples_table import read_table
from lepbench.evaluation.schema import FEATURES
from lepbench.evaluation.score import score_pictures
from lepbench.images import open_rgb
from lepbench.judges import Judges
from lepbench.progress import Progress
from lepbench.suites import Suite

NETWORK_TOLERANCE = 1e-4
"""Relative tolerance of a network's output on one image: other processors sum in another order."""
Known = dict[tuple[str, ...], list[dict[str, Any]]]
"""The columns of batches that were scored before, by everything they follow from."""


def recount_samples(
    folder: Path,
    suite: Suite,
    judges: Judges | None,
    progress: Progress,
    *,
    known: Known | None = None,
) -> int:
    """Score the stored images of a run again, and compare every column and feature with the stored.

    Counts must be equal; network outputs may differ by rounding on another processor.

    Args:
        judges: those of the record; None for the measures that need no judge alone.
        progress: called with (stage, done, total): the condition, its samples done, its samples in all.
        known: what was scored for other runs, whose reference pictures are often the same; it is added to.

    Returns:
        How many samples were scored.

    Raises:
        LepbenchError: a judge is another, an image cannot be read, or a column or feature does not agree.
    """
    record = read_record(folder)
    identity = record.identity
    stored = read_table(folder, record.protocol).to_pandas()
    features = read_features(folder, record.features_sha256) if judges else {}
    protocol = record.protocol if judges else leave_out_judged(record.protocol)
    if protocol is None:
        return 0
    if judges:
        check_judges(folder, record, judges)
    terms = (suite.sha256, hash_protocol(protocol), *(judges.weights.values() if judges else ()))
    for kind in list_conditions(identity.model, suite):
        lines = _join_features(stored[stored["row"] == kind.name], features.get(kind.name, {}))
        per_item = kind.count_samples(identity.samples_per_item)
        done = 0
        for batch in make_batches(suite, suite.take(identity.items), per_item, protocol.batch_size):
            part = lines[done : done + len(batch)]
            shown = kind.borrows or kind
            paths = [locate_picture(folder, shown.name, s.item_id, s.index) for s in batch]
            pictures = (
                f"{s.item_id} {s.index} {line['png_sha256']}" for s, line in zip(batch, part, strict=True)
            )
            key = (*terms, kind.name, *pictures)
            found = (known or {}).get(key) or _score(kind, paths, batch, judges=judges, protocol=protocol)
            if known is not None and shown is not MODEL:
                known[key] = found
            for path, columns, line in zip(paths, found, part, strict=True):
                _check_columns(path, kind.name, columns, line)
            done += len(batch)
            progress(kind.name, done, len(lines))
    return len(stored)


def _score(
    kind: ConditionKind, paths: Sequence[Path], batch: Batch, *, judges: Judges | None, protocol: Protocol
) -> list[dict[str, Any]]:
    """The columns of stored pictures, and their features where there are judges."""
    return score_pictures(
        np.stack([np.asarray(open_rgb(path)) for path in paths]),
        batch,
        truths=[kind.select_truth(sample) for sample in batch],
        judges=judges or Judges({}),
        protocol=protocol,
        embeds=judges is not None and kind.borrows is None,
    )


def leave_out_judged(protocol: Protocol) -> Protocol | None:
    """The protocol without the measures that need a judge; None where none is left."""
    kept = [
        name
        for name, measure in zip(protocol.measures, select_measures(protocol), strict=True)
        if not measure.abilities
    ]
    return protocol.model_copy(update={"measures": tuple(kept)}) if kept else None


def check_judges(folder: Path, record: Record, judges: Judges) -> None:
    """Refuse a run whose judges had other files than these.

    Raises:
        LepbenchError: a file is another, or the record does not name it, or names one that there is not.
    """
    labels = {name.partition("/")[0] for name in judges.weights}
    stated = (name for name in record.identity.weights if name.partition("/")[0] in labels)
    if other := sorted({*stated} - judges.weights.keys()):
        raise LepbenchError(f"{folder} names {other[0]}, which the judge does not have", "evaluate again")
    for name, digest in judges.weights.items():
        if record.identity.weights.get(name) != digest:
            raise LepbenchError(f"{folder} was scored by another {name}", "restore it, or evaluate again")


def _join_features(samples: pd.DataFrame, features: Mapping[str, Features]) -> list[dict[Hashable, Any]]:
    """The stored columns of each sample of a condition, its features among them."""
    columns = {label_figure(FEATURES, label): list(matrix) for label, matrix in features.items()}
    return samples.assign(**columns).to_dict("records")


def _check_columns(path: Path, row: str, columns: dict[str, Any], line: dict[Hashable, Any]) -> None:
    for name, found in columns.items():
        if isinstance(found, np.ndarray):
            _check_feature(path, name, found, line[name])
        elif not _agree(found, line[name]):
            raise LepbenchError(
                f"{path} gives {name} {found} in row {row!r}, samples.parquet says {line[name]}",
                "evaluate again",
            )


def _check_feature(path: Path, column: str, found: Features, stored: Features) -> None:
    """Compare a feature [D] with the stored one, to rounding of its largest number."""
    bound = NETWORK_TOLERANCE * max(1.0, float(np.abs(stored).max()))
    if found.shape != stored.shape or np.abs(found - stored).max() > bound:
        label = column.partition("@")[2]
        raise LepbenchError(f"{path} has other features by judge {label!r} than are stored", "evaluate again")


def _agree(found: Any, stored: Any) -> bool:
    """Whether a recomputed column of a sample equals the stored one: floats to rounding, others exactly."""
    if isinstance(found, float | list):
        near = np.isclose(found, stored, rtol=NETWORK_TOLERANCE, atol=NETWORK_TOLERANCE, equal_nan=True)
        return bool(near.all())
    return bool(pd.isna(stored)) if found is None else bool(found == stored)
