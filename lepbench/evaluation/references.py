"""The real pictures that sets are compared with: features that ship, or of `lepbench statistics make`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.evaluation.protocol import ITEMS, Protocol
from lepbench.files import sha256_file
from lepbench.judges import JudgeStatistics
from lepbench.judges.paths import ASSETS
from lepbench.judges.weights import hash_listing

SUFFIX = ".safetensors"
References = Mapping[str, JudgeStatistics]
"""Features of real pictures by the label of the judge."""


def find_reference(protocol: Protocol) -> dict[str, Path]:
    """The files of a protocol's reference by the judge's label; none where the items are their own.

    Raises:
        LepbenchError: there is none for a judge, or they are not those that the protocol was pinned to.
    """
    labels = protocol.find_labels("features")
    if protocol.reference == ITEMS or not labels:
        return {}
    if protocol.reference_sha256 not in (None, hash_reference(protocol.reference)):
        raise LepbenchError(
            f"{protocol.reference} does not hold the statistics that protocol {protocol.name} names",
            "restore them, or evaluate again",
        )
    shipped = ASSETS / f"{protocol.reference}{SUFFIX}"
    if shipped.is_file():
        return dict.fromkeys(labels, shipped)
    folder = Path(protocol.reference)
    if not folder.is_dir():
        raise LepbenchError(
            f"there are no statistics {protocol.reference!r}",
            "give a folder of 'lepbench statistics make', or 'items' for the items' own pictures",
        )
    files = {label: folder / f"{label}{SUFFIX}" for label in labels}
    if lacking := [label for label, path in files.items() if not path.is_file()]:
        raise LepbenchError(
            f"{folder} has no features by judge {lacking[0]!r}",
            "run 'lepbench statistics make' with that judge",
        )
    return files


def hash_reference(reference: str) -> str | None:
    """One hash of the files of a reference; None where it is the items' own pictures."""
    if reference == ITEMS:
        return None
    shipped, folder = ASSETS / f"{reference}{SUFFIX}", Path(reference)
    if shipped.is_file():
        return sha256_file(shipped)
    return hash_listing(sorted(folder.glob(f"*{SUFFIX}"))) if folder.is_dir() else None


def load_references(protocol: Protocol) -> dict[str, JudgeStatistics]:
    """The features of a protocol's reference by label; none where the items are their own.

    Raises:
        LepbenchError: a file is missing or damaged.
    """
    return {label: JudgeStatistics.load(path) for label, path in find_reference(protocol).items()}
