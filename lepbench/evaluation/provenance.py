"""Whether the files that a record names are those that are here."""

from __future__ import annotations

from pathlib import Path

from lepbench.backbones import Backbone, load_backbone
from lepbench.embedded import is_embedded
from lepbench.errors import LepbenchError
from lepbench.evaluation.opening import build_method, hash_backbone_files
from lepbench.evaluation.parts import hash_submitted_code, list_method_files
from lepbench.evaluation.record import Record
from lepbench.evaluation.references import find_reference
from lepbench.methods import Method, ModelConfig
from lepbench.submitted import is_ours

NETWORKS = ("predictor", "control")
"""Settings of methods that name a network."""


def check_embedded(folder: Path, record: Record) -> list[str]:
    """Hold the hashes of the networks that ship against the files here.

    Returns:
        The networks whose files were compared, by name; those from elsewhere are not.

    Raises:
        LepbenchError: a file is another.
    """
    model = record.identity.model
    reference = model.reference
    if reference is None or not is_embedded(reference.backbone):
        return []
    backbone = load_backbone(reference.backbone, "cpu", reference.precision)
    networks = list_networks(model)
    own = model.backbone is not None and is_ours(model.method) and all(map(is_embedded, networks))
    method = build_method(model, backbone) if own else None
    check_files(folder, record, backbone, method)
    if method is not None:
        _refuse_others(folder, record, backbone, method)
    return [reference.backbone, *(networks if own else [])]


def _refuse_others(folder: Path, record: Record, backbone: Backbone, method: Method) -> None:
    """Refuse files that a run names beside those of its backbone, method, judges and submitted code."""
    labels = {judge.label for judge in record.protocol.judges}
    known = {
        *hash_backbone_files(backbone),
        *list_method_files(method),
        *hash_submitted_code(record.identity.model, method, record.protocol),
        *(path.name for path in find_reference(record.protocol).values()),
    }
    stated = {name for name in record.identity.weights if name.partition("/")[0] not in labels}
    if other := sorted(stated - known):
        raise LepbenchError(f"{folder} names {other[0]}, of which its model has nothing", "evaluate again")


def list_networks(model: ModelConfig) -> list[str]:
    """What a method's settings call the networks that it has beside the backbone."""
    named = (getattr(model.method, key, None) for key in NETWORKS)
    return [str(name) for name in named if name is not None]


def check_files(folder: Path, record: Record, backbone: Backbone | None, method: Method | None) -> None:
    """Refuse a record that names other files than those of a backbone and of a method.

    Args:
        method: None where its files are not known.

    Raises:
        LepbenchError: a file is another, or one is named that there is not.
    """
    here = hash_backbone_files(backbone) | ({} if method is None else list_method_files(method))
    kinds = {name.partition("/")[0] for name in here} - {"code"}
    stated = {
        name: digest
        for name, digest in record.identity.weights.items()
        if name in here or name.partition("/")[0] in kinds
    }
    other = sorted(name for name in here.keys() | stated.keys() if here.get(name) != stated.get(name))
    if other:
        raise LepbenchError(
            f"{folder} says {other[0]} has SHA-256 {stated.get(other[0])}, here it is {here.get(other[0])}",
            "restore the file, or evaluate again",
        )
