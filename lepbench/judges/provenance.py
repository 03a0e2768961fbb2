"""Features of real pictures as a file, with what they are features of: pictures, judge, resize and number."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lepbench.config import Config, parse_config
from lepbench.documents import parse_json
from lepbench.errors import LepbenchError
from lepbench.files import atomic_path, sha256_bytes
from lepbench.judges.base import JudgeConfig
from lepbench.weights_header import read_header

KEY = "lepbench"
"""Of the metadata of the file: one key alone, as safetensors writes several in any order."""
FEATURES, PICTURES = "features", "pictures"
Digests = NDArray[np.uint8]
"""SHA-256 of the pixels of each picture, [N, 32]."""


class Provenance(Config):
    """What features are of. Nothing in it depends on where files lie."""

    corpus_sha256: str
    """Over the pixels of the pictures as they were scored, in order."""
    judge: dict[str, Any]
    """The settings that decide the features."""
    files: dict[str, str] = Field(default_factory=dict)
    """SHA-256 of the judge's files by name."""
    size: int | None = None
    """Side of the centre square that pictures were resized to, px; None where they were left as they are."""
    n: int

    @property
    def name(self) -> str:
        """The hash of it all, by which the features are called."""
        return sha256_bytes(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode())


def describe_judge(judge: JudgeConfig) -> dict[str, Any]:
    """The settings of a judge that decide its features: neither what it is called nor what else it is for."""
    settings = judge.pin().identify()
    return {key: value for key, value in settings.items() if key not in ("label", "use")}


def hash_judge(settings: Mapping[str, Any]) -> str:
    """The hash of what `describe_judge` gives."""
    return sha256_bytes(json.dumps(settings, sort_keys=True).encode())


def hash_pictures(digests: Digests) -> str:
    """The hash of a set of pictures in order, of the SHA-256 of the pixels of each."""
    return sha256_bytes(digests.tobytes())


def save_features(path: Path, features: NDArray[np.float32], digests: Digests, about: Provenance) -> None:
    """Write features [N, D] and the hashes of their pictures with what they are of, atomically."""
    from safetensors.numpy import save_file

    tensors = {FEATURES: np.ascontiguousarray(features, np.float32), PICTURES: np.ascontiguousarray(digests)}
    metadata = {KEY: json.dumps(about.model_dump(mode="json"), sort_keys=True)}
    with atomic_path(path) as partial:
        save_file(tensors, partial, metadata)


def read_provenance(path: Path) -> Provenance | None:
    """What the features of a file are of; None where the file does not say.

    Raises:
        LepbenchError: it is missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    read_header(path, "make it again")
    try:
        with safe_open(path, "numpy") as stream:
            text = (stream.metadata() or {}).get(KEY)
    except (OSError, SafetensorError) as error:
        raise LepbenchError(f"{path} holds no features of pictures: {error}", "make it again") from error
    if text is None:
        return None
    try:
        return parse_config(parse_json(text), Provenance, str(path))
    except ValueError as error:
        raise LepbenchError(f"{path} does not say what it holds: {error}", "make it again") from error


def read_tensors(path: Path, *needed: str, fix: str = "make it again") -> dict[str, NDArray[Any]]:
    """The tensors of a file by name.

    Args:
        needed: names that it must have.
        fix: what the reader can do where it has not.

    Raises:
        LepbenchError: the file is missing or damaged, or lacks one of them.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    read_header(path, fix)
    try:
        tensors: dict[str, NDArray[Any]] = load_file(path)
        if absent := [name for name in needed if name not in tensors]:
            raise KeyError(absent[0])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise LepbenchError(f"{path} holds no features of pictures: {error}", fix) from error
    return tensors


def read_digests(path: Path) -> Digests:
    """The SHA-256 of the pixels of each picture, [N, 32]; none of a file without them.

    Raises:
        LepbenchError: the file is missing or damaged.
    """
    return np.asarray(read_tensors(path).get(PICTURES, np.empty((0, 32), np.uint8)))
