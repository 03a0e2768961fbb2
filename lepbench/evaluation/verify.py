"""Verify a folder of results against its record: recompute everything except sampling and scoring."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lepbench.errors import LepbenchError
from lepbench.evaluation.conditions import CONDITIONS, list_conditions
from lepbench.evaluation.features import RunFeatures, check_widths, read_features
from lepbench.evaluation.figure_names import label_figure
from lepbench.evaluation.figures import Figures
from lepbench.evaluation.layout import find_samples, locate_picture
from lepbench.evaluation.measures.base import Features
from lepbench.evaluation.parts import check_protocol
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import select_protocol
from lepbench.evaluation.record import Record, read_record
from lepbench.evaluation.references import load_references
from lepbench.evaluation.sample import OK, make_batches
from lepbench.evaluation.schema import FEATURES, list_feature_columns, make_schema
from lepbench.evaluation.score import score_pictures
from lepbench.evaluation.summary import summarise_samples
from lepbench.files import sha256_file
from lepbench.images import open_rgb
from lepbench.judges import Judges
from lepbench.progress import Progress
from lepbench.suites import Suite

TOLERANCE = 1e-6
"""Relative tolerance of figures: other processors sum in another order."""
NETWORK_TOLERANCE = 1e-4
"""The same for a network's output on one image."""


def verify_record(folder: Path, suite: Suite, protocol: Protocol | None = None) -> Record:
    """The verified record of a run.

    Checked are: suite and protocol are the present ones; `samples.parquet` is the file the record names; it
    has every condition with every requested item and seed, once, none failed; every image is the one
    scored; and the figures follow from the samples.

    Args:
        protocol: the required protocol; the suite's own unless given.

    Raises:
        LepbenchError: something is missing or does not agree; the message says what.
    """
    record = read_record(folder)
    protocol = protocol or select_protocol(suite)
    _check_identity(folder, record, suite, protocol)
    path = find_samples(folder)
    if sha256_file(path) != record.samples_sha256:
        raise LepbenchError(f"{path} is not the file that {folder}'s record was made of", "evaluate again")
    samples = _read(path, protocol)
    _check_samples(folder, record, suite, samples)
    _check_variants(folder, suite, samples)
    _check_pictures(folder, samples)
    features = read_features(folder, record.features_sha256)
    _check_features(folder, samples, features, protocol)
    references = load_references(protocol)
    check_widths(folder, features, references)
    _check_figures(folder, record.rows, summarise_samples(samples, features, references, protocol))
    return record


def recount_samples(folder: Path, suite: Suite, judges: Judges, progress: Progress) -> int:
    """Score the stored images of a run again, and compare every column and feature with the stored.

    Counts must be equal; network outputs may differ by rounding on another processor.

    Args:
        progress: called with (stage, done, total): the condition, its samples done, its samples in all.

    Returns:
        How many samples were scored.

    Raises:
        LepbenchError: a judge is another, an image cannot be read, or a column or feature does not agree.
    """
    record = read_record(folder)
    protocol, identity = record.protocol, record.identity
    stored = _read(find_samples(folder), protocol).to_pandas()
    features = read_features(folder, record.features_sha256)
    _check_judges(folder, record, judges)
    for kind in list_conditions(identity.model, suite):
        lines = _join_features(stored[stored["row"] == kind.name], features.get(kind.name, {}))
        per_item = kind.count_samples(identity.samples_per_item)
        done = 0
        for batch in make_batches(suite, suite.take(identity.items), per_item, protocol.batch_size):
            shown = kind.borrows or kind
            paths = [locate_picture(folder, shown.name, s.item_id, s.index) for s in batch]
            pictures = np.stack([np.asarray(open_rgb(path)) for path in paths])
            truths = [kind.select_truth(sample) for sample in batch]
            found = score_pictures(
                pictures,
                batch,
                truths=truths,
                judges=judges,
                protocol=protocol,
                embeds=kind.borrows is None,
            )
            for path, columns, line in zip(paths, found, lines[done : done + len(batch)], strict=True):
                _check_columns(path, kind.name, columns, line)
            done += len(batch)
            progress(kind.name, done, len(lines))
    return len(stored)


def _check_judges(folder: Path, record: Record, judges: Judges) -> None:
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


def _check_identity(folder: Path, record: Record, suite: Suite, protocol: Protocol) -> None:
    identity = record.identity
    if (identity.suite, identity.suite_sha256) != (suite.name, suite.sha256):
        raise LepbenchError(f"{folder} was scored on another {identity.suite}", "evaluate again")
    for terms in (protocol, record.protocol):
        check_protocol(folder, terms, identity.protocol_sha256)


def _read(path: Path, protocol: Protocol) -> pa.Table:
    schema = make_schema(protocol)
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise LepbenchError(f"{path} cannot be read: {error}", "evaluate again") from error
    if not table.schema.equals(schema):
        raise LepbenchError(f"{path} has other columns than the protocol", "evaluate again")
    return table


def _check_samples(folder: Path, record: Record, suite: Suite, samples: pa.Table) -> None:
    failed = len(samples) - samples["status"].to_pylist().count(OK)
    if failed:
        raise LepbenchError(f"{failed} samples of {folder} failed", "evaluate again to retry them")
    identity = record.identity
    items = suite.take(identity.items)
    asked = [
        (kind.name, sample.item_id, sample.index, sample.seed)
        for kind in list_conditions(identity.model, suite)
        for batch in make_batches(suite, items, kind.count_samples(identity.samples_per_item), len(items))
        for sample in batch
    ]
    columns = (samples[name].to_pylist() for name in ("row", "item_id", "sample_index", "seed"))
    if list(zip(*columns, strict=True)) != asked:
        raise LepbenchError(f"{folder} does not hold the samples its record speaks of", "evaluate again")
    if record.sample_count != identity.items * identity.samples_per_item:
        raise LepbenchError(f"{folder} has a wrong number of samples in its record", "evaluate again")


def _check_variants(folder: Path, suite: Suite, samples: pa.Table) -> None:
    """Refuse samples that are said to be other variants than those of the suite."""
    if "original" not in samples.column_names:
        return
    stated = zip(*(samples[name].to_pylist() for name in ("item_id", "original", "level")), strict=True)
    for item_id, *variant in stated:
        if tuple(variant) != suite.find_variant(item_id):
            raise LepbenchError(
                f"{folder} says that {item_id} is {' at '.join(map(str, variant))}; it is another variant",
                "evaluate again",
            )


def _check_pictures(folder: Path, samples: pa.Table) -> None:
    columns = (samples[name].to_pylist() for name in ("row", "item_id", "sample_index", "png_sha256"))
    for row, item_id, index, digest in zip(*columns, strict=True):
        path = locate_picture(folder, row, item_id, index)
        if CONDITIONS[row].borrows is None and not (path.is_file() and sha256_file(path) == digest):
            raise LepbenchError(f"{path} is missing or not the picture that was scored", "evaluate again")


def _check_features(folder: Path, samples: pa.Table, features: RunFeatures, protocol: Protocol) -> None:
    """Refuse features that are not one a picture, of each judge, of every condition with its own pictures."""
    counts = Counter(samples["row"].to_pylist())
    labels = [column.partition("@")[2] for column in list_feature_columns(protocol)]
    asked = {
        (row, label): n for row, n in counts.items() if CONDITIONS[row].borrows is None for label in labels
    }
    held = {(row, label): len(found) for row, known in features.items() for label, found in known.items()}
    if held != asked:
        row, label = min(key for key in asked.keys() | held.keys() if asked.get(key) != held.get(key))
        raise LepbenchError(
            f"{folder} has {held.get((row, label), 0)} features of {row} by judge {label!r}, "
            f"not {asked.get((row, label), 0)}",
            "evaluate again",
        )


def _check_figures(folder: Path, claimed: dict[str, Figures], found: dict[str, Figures]) -> None:
    if {row: set(figures) for row, figures in claimed.items()} != {row: set(f) for row, f in found.items()}:
        raise LepbenchError(f"{folder}'s record has other rows or metrics than its samples", "evaluate again")
    for row, figures in found.items():
        for name, figure in figures.items():
            stated = claimed[row][name]
            for part in ("value", "low", "high"):
                said, true = getattr(stated, part), getattr(figure, part)
                if not _same(said, true):
                    raise LepbenchError(
                        f"{folder}'s record says {name} of {row} has {part} {said}, its samples say {true}",
                        "evaluate again",
                    )


def _same(first: float | None, second: float | None) -> bool:
    if first is None or second is None:
        return first is second
    return math.isclose(first, second, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
