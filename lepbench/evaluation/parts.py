"""The code behind an evaluation: which of it is from outside, and its hashes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lepbench.errors import LepbenchError
from lepbench.evaluation.measures.base import select_measures
from lepbench.evaluation.protocol import Protocol
from lepbench.files import sha256_bytes
from lepbench.judges import JUDGES
from lepbench.methods import Method, ModelConfig, hash_model_code
from lepbench.submitted import explain_faults, hash_code, hash_module


def list_parts(protocol: Protocol) -> list[Any]:
    """Detectors, measures and judges, which decide the figures of a picture.

    Raises:
        LepbenchError: one is unknown here.
    """
    return [*protocol.detectors, *select_measures(protocol), *protocol.judges]


def hash_protocol_code(protocol: Protocol) -> dict[str, str]:
    """SHA-256 of every file from outside that decides the figures of a picture, by name."""
    parts = [hash_code(part) for part in list_parts(protocol)]
    registered = [hash_module(JUDGES.find_module(judge.name)) for judge in protocol.judges]
    return {name: digest for found in [*parts, *registered] for name, digest in found.items()}


def hash_protocol(protocol: Protocol) -> str:
    """The hash by which scores compare: of every term, and of the code from outside that reads them."""
    code = hash_protocol_code(protocol)
    if not code:
        return protocol.sha256
    return sha256_bytes(json.dumps([protocol.sha256, code], sort_keys=True).encode())


def check_protocol(folder: Path, protocol: Protocol, stated: str) -> None:
    """Refuse a run whose figures this version cannot make again.

    Args:
        protocol: as the record has it.
        stated: the hash of the one that scored it.

    Raises:
        LepbenchError: the protocol is another by now: the record is of an earlier version, or code changed.
    """
    if hash_protocol(protocol) != stated:
        raise LepbenchError(
            f"{folder} was scored by another protocol than the present {protocol.name}", "evaluate again"
        )


def find_other_judge(protocol: Protocol, first: Mapping[str, str], second: Mapping[str, str]) -> str | None:
    """A file of a judge, as `LABEL/NAME`, that differs between two runs by one protocol.

    Where the weights alone are pinned, settings beside them may differ, such as those of an image processor.

    Args:
        first: SHA-256 of the files of one run, by name.
        second: those of the other.
    """
    labels = {judge.label for judge in protocol.judges}
    shared = sorted(name for name in first.keys() & second.keys() if name.partition("/")[0] in labels)
    return next((name for name in shared if first[name] != second[name]), None)


def hash_submitted_code(model: ModelConfig, method: Method, protocol: Protocol) -> dict[str, str]:
    """SHA-256 of every file from outside whose code decides a figure, by name: plug-ins that take part."""
    return {**hash_model_code(model), **hash_code(method), **hash_protocol_code(protocol)}


def list_method_files(method: Method) -> dict[str, str]:
    """SHA-256 of every file that a method's pictures depend on, by name.

    Raises:
        LepbenchError: a method from outside raises, or names none.
    """
    label = f"method {type(method).__name__!r}"
    with explain_faults(label, method):
        files = dict(method.weights)
    if not all(isinstance(text, str) for pair in files.items() for text in pair):
        raise LepbenchError(f"{label} has weights that are no text", "give a SHA-256 by name")
    return files
