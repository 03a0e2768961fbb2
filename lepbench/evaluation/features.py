"""The features of a run's pictures: a safetensors file a condition and judge, beside the samples table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lepbench.errors import LepbenchError
from lepbench.evaluation.condition_table import ConditionTable
from lepbench.evaluation.conditions import CONDITIONS, find_shown
from lepbench.evaluation.sample import OK
from lepbench.evaluation.schema import FEATURES
from lepbench.files import atomic_path, require_within, sha256_file
from lepbench.judges import JudgeStatistics
from lepbench.judges.provenance import read_tensors
from lepbench.on_demand import OnDemand

TENSOR = "features"
RunFeatures = Mapping[str, Mapping[str, NDArray[np.float32]]]
"""Of each condition by name, and each judge by label: float32 [N, D], a row a picture that was drawn, in the
order of the samples table."""


def write_features(
    folder: Path, conditions: Iterable[str], tables: Iterable[ConditionTable]
) -> dict[str, str]:
    """Write the features of every condition with pictures of its own; the SHA-256 of the files by name."""
    written = {}
    for condition, table in zip(conditions, tables, strict=True):
        columns = [name for name in table.schema.names if name.startswith(f"{FEATURES}@")]
        if CONDITIONS[condition].borrows is None:
            for column in columns:
                path = locate_features(folder, condition, column.partition("@")[2])
                _write_column(path, table, column)
                written[path.name] = sha256_file(path)
    return written


def locate_features(folder: Path, condition: str, label: str) -> Path:
    """Where the features of a condition's pictures by a judge lie."""
    return folder / FEATURES / f"{condition}@{label}.safetensors"


def _write_column(path: Path, table: ConditionTable, column: str) -> None:
    from safetensors.numpy import save_file

    with atomic_path(path) as partial:
        save_file({TENSOR: stack_features(table.read_batches(("status", column)), column)}, partial)


def stack_features(batches: Iterable[pa.Table], column: str) -> NDArray[np.float32]:
    """A column of features of the samples that were drawn, float32 [N, D]."""
    rows = [
        np.asarray(value, np.float32)
        for batch in batches
        for status, value in zip(batch["status"].to_pylist(), batch[column].to_numpy(), strict=True)
        if status == OK
    ]
    return np.stack(rows) if rows else np.empty((0, 0), np.float32)


def read_features(folder: Path, hashes: Mapping[str, str]) -> RunFeatures:
    """The features of a run, each file of which is read when it is asked for.

    Args:
        hashes: SHA-256 of the files by name, as the record has them.

    Raises:
        LepbenchError: a file is missing, or not the one that the record names.
    """
    found: dict[str, dict[str, Path]] = {}
    for name, digest in hashes.items():
        condition, _, label = name.removesuffix(".safetensors").partition("@")
        path = locate_features(folder, condition, label)
        require_within(folder, path)
        if not path.is_file() or sha256_file(path) != digest:
            raise LepbenchError(f"{path} is missing or not the file of the record", "evaluate again")
        found.setdefault(condition, {})[label] = path
    return {condition: _read_on_demand(paths) for condition, paths in found.items()}


def _read_on_demand(paths: Mapping[str, Path]) -> OnDemand[NDArray[np.float32]]:
    return OnDemand(paths, lambda label: read_matrix(paths[label]))


def read_matrix(path: Path) -> NDArray[np.float32]:
    """The features in one file.

    Raises:
        LepbenchError: it holds none.
    """
    found = np.asarray(read_tensors(path, TENSOR, fix="evaluate again")[TENSOR], np.float32)
    if found.ndim != 2 or not np.isfinite(found).all():
        raise LepbenchError(f"{path} holds features that are no finite numbers [N, D]", "evaluate again")
    return found


def check_widths(folder: Path, features: RunFeatures, references: Mapping[str, JudgeStatistics]) -> None:
    """Refuse features of one judge that differ in length among conditions, or from its reference's.

    Args:
        folder: of the run.

    Raises:
        LepbenchError: they do.
    """
    widths: dict[str, int] = {label: known.features.shape[1] for label, known in references.items()}
    for row, found in features.items():
        for label, matrix in found.items():
            if matrix.shape[1] != widths.setdefault(label, matrix.shape[1]):
                raise LepbenchError(
                    f"{folder} has features of {row} by judge {label!r} of length {matrix.shape[1]}, "
                    f"and others of length {widths[label]}",
                    "evaluate again",
                )


def find_features(features: RunFeatures, condition: str) -> Mapping[str, NDArray[np.float32]]:
    """The features of the pictures that a condition shows, by label: its own, or those that it borrows."""
    return features[condition] if condition in features else features.get(find_shown(condition), {})
