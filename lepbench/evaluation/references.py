"""The real pictures that sets are compared with: features that ship, or of `lepbench statistics make`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from lepbench.embedded import ASSETS
from lepbench.errors import LepbenchError
from lepbench.evaluation.measures.base import list_read_abilities
from lepbench.evaluation.protocol import ITEMS, Protocol
from lepbench.files import sha256_file
from lepbench.judges import JudgeConfig, JudgeStatistics, SketchworldClipConfig
from lepbench.judges.provenance import describe_judge, read_provenance
from lepbench.judges.weights import hash_listing
from lepbench.verified import hash_large_file

SUFFIX = ".safetensors"
References = Mapping[str, JudgeStatistics]
"""Features of real pictures by the label of the judge."""


def find_reference(protocol: Protocol) -> dict[str, Path]:
    """The files of a protocol's reference by the judge's label; none where the items are their own, or where
    no measure reads features.

    Raises:
        LepbenchError: there is none for a judge, or it is of another judge, or not the one pinned.
    """
    judges = protocol.find_judges("features")
    if protocol.reference == ITEMS or not judges or "features" not in list_read_abilities(protocol):
        return {}
    files = {judge.label: locate_reference(protocol.reference, judge.label) for judge in judges}
    for judge in judges:
        require_judge(judge, files[judge.label])
    if protocol.reference_sha256 not in (None, hash_reference(protocol)):
        raise LepbenchError(
            f"{protocol.reference} does not hold the statistics that protocol {protocol.name} names",
            "restore them, or evaluate again",
        )
    return files


def locate_reference(reference: str, label: str) -> Path:
    """The file of a reference by a judge.

    Raises:
        LepbenchError: there is none.
    """
    shipped, folder = ASSETS / f"{reference}{SUFFIX}", Path(reference)
    if shipped.is_file():
        return shipped
    if not folder.is_dir():
        raise LepbenchError(
            f"there are no statistics {reference!r}",
            "give a folder of 'lepbench statistics make', or 'items' for the items' own pictures",
        )
    if not (folder / f"{label}{SUFFIX}").is_file():
        raise LepbenchError(
            f"{folder} has no features by judge {label!r}", "run 'lepbench statistics make' with that judge"
        )
    return folder / f"{label}{SUFFIX}"


def require_judge(judge: JudgeConfig, path: Path) -> None:
    """Refuse features that another judge gave, or this one with other settings.

    Raises:
        LepbenchError: they are of another, or do not say of which.
    """
    about = read_provenance(path)
    # What ships does not say whose it is, and is this judge's alone.
    shipped = about is None and path.parent == ASSETS and isinstance(judge, SketchworldClipConfig)
    if shipped or (about is not None and about.judge == describe_judge(judge)):
        return
    raise LepbenchError(
        f"{path} holds features of another judge than {judge.label!r} of the protocol",
        "run 'lepbench statistics make' with the protocol's judges, or compare with 'reference: items'",
    )


def require_same_files(reference: Mapping[str, Path], weights: Mapping[str, str]) -> None:
    """Refuse features that a judge gave by other files than those it has here.

    Args:
        reference: as of `find_reference`.
        weights: SHA-256 of the judges' files by `LABEL/NAME`.

    Raises:
        LepbenchError: a file is another.
    """
    for label, path in reference.items():
        about = read_provenance(path)
        here = {name: digest for name, digest in weights.items() if name.startswith(f"{label}/")}
        if about is not None and {f"{label}/{name}": one for name, one in about.files.items()} != here:
            raise LepbenchError(
                f"{path} holds features by other files than those of judge {label!r} here",
                "run 'lepbench statistics make' again, into another folder",
            )


def hash_reference(protocol: Protocol) -> str | None:
    """One hash of the files of a reference, wherever they lie; None where it is the items' own pictures.

    Raises:
        LepbenchError: there is none for a judge.
    """
    labels = protocol.find_labels("features")
    if protocol.reference == ITEMS or not labels:
        return None
    paths = [locate_reference(protocol.reference, label) for label in sorted(labels)]
    return sha256_file(paths[0]) if paths[0].parent == ASSETS else hash_listing(paths)


def load_references(protocol: Protocol) -> dict[str, JudgeStatistics]:
    """The features of a protocol's reference by label; none where the items are their own.

    Raises:
        LepbenchError: a file is missing or damaged, or of another judge.
    """
    return {label: _load(path, hash_large_file(path)) for label, path in find_reference(protocol).items()}


@lru_cache(maxsize=2)
def _load(path: Path, digest: str) -> JudgeStatistics:
    """Features and what is prepared of them, for the next run too: a kernel of N features takes N^2 time."""
    return JudgeStatistics.load(path)
