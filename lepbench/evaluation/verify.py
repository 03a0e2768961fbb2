"""Verify a folder of results against its record: recompute everything except sampling and scoring."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pyarrow as pa

from lepbench.errors import LepbenchError
from lepbench.evaluation.claims import check_claims
from lepbench.evaluation.columns import check_columns
from lepbench.evaluation.conditions import CONDITIONS, list_conditions
from lepbench.evaluation.features import RunFeatures, check_widths, read_features
from lepbench.evaluation.figures import Figures
from lepbench.evaluation.known_pictures import check_known_pictures
from lepbench.evaluation.layout import find_samples
from lepbench.evaluation.parts import check_protocol
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import select_protocol
from lepbench.evaluation.record import Record, read_record
from lepbench.evaluation.references import load_references
from lepbench.evaluation.sample import OK, make_batches
from lepbench.evaluation.samples_table import read_table
from lepbench.evaluation.schema import list_feature_columns
from lepbench.evaluation.stored_pictures import check_stored_pictures
from lepbench.evaluation.summary import summarise_samples
from lepbench.files import sha256_file
from lepbench.suites import Suite

TOLERANCE = 1e-6
"""Relative tolerance of figures: other processors sum in another order."""


def verify_record(folder: Path, suite: Suite, protocol: Protocol | None = None) -> Record:
    """The verified record of a run.

    Checked are: suite and protocol are the present ones; `samples.parquet` is the file the record names; it
    has every condition with every requested item and seed, once, none failed, and no number that no picture
    gives; every image is the one scored; real pictures are the suite's, overlays the sketches on the unguided
    ones; and the figures follow from the samples.

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
    samples = read_table(folder, protocol)
    _check_samples(folder, record, suite, samples)
    check_columns(path, samples, protocol)
    _check_variants(folder, suite, samples)
    check_stored_pictures(folder, samples, protocol.size)
    check_known_pictures(folder, suite, samples)
    features = read_features(folder, record.features_sha256)
    _check_features(folder, samples, features, protocol)
    references = load_references(protocol)
    check_widths(folder, features, references)
    _check_figures(folder, record.rows, summarise_samples(samples, features, references, protocol))
    return record


def _check_identity(folder: Path, record: Record, suite: Suite, protocol: Protocol) -> None:
    identity = record.identity
    if (identity.suite, identity.suite_sha256) != (suite.name, suite.sha256):
        raise LepbenchError(f"{folder} was scored on another {identity.suite}", "evaluate again")
    for terms in (protocol, record.protocol):
        check_protocol(folder, terms, identity.protocol_sha256)


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
    check_claims(folder, record, suite)


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
            if stated.n != figure.n:
                raise LepbenchError(
                    f"{folder}'s record says {name} of {row} is of {stated.n} samples, it is of {figure.n}",
                    "evaluate again",
                )
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
