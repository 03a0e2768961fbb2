"""Weights of network detectors: known files, their hashes, and safe loading."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch
from pydantic import Field
from torch import Tensor

from lepbench.config import Config, parse_config
from lepbench.errors import LepbenchError
from lepbench.fetch import check_sha256
from lepbench.files import find_cache_folder, read_json, sha256_bytes, sha256_file
from lepbench.registry import suggest_name

SAFE = ".safetensors"
ANNOTATORS = "https://huggingface.co/lllyasviel/Annotators/resolve/main"
PUBLISHED = {
    "dexined": "https://huggingface.co/kornia/dexined/resolve/main/DexiNed_BIPED_10.pth",
    "hed": f"{ANNOTATORS}/ControlNetHED.pth",
    "lineart": f"{ANNOTATORS}/sk_model.pth",
    "lineart-coarse": f"{ANNOTATORS}/sk_model2.pth",
    "pidinet": f"{ANNOTATORS}/table5_pidinet.pth",
}
"""Name of known weights -> URL where its authors, or those who ported it, publish it."""

Weights = dict[str, Tensor]


class Lock(Config):
    """Lock of a downloaded file, stored beside it.

    Attributes:
        known: whether its hash was given before the download; false if the file was trusted (`--trust`).
    """

    source: str
    size: int
    sha256: str
    known: bool = Field(alias="told")


class WeightsFile(NamedTuple):
    """An existing file of weights, and the hash of its bytes."""

    path: Path
    sha256: str


def find_url(name: str) -> str:
    """Where known weights are published.

    Raises:
        LepbenchError: it is not known.
    """
    if name not in PUBLISHED:
        raise LepbenchError(f"no weights {name!r} are known", suggest_name(name, PUBLISHED))
    return PUBLISHED[name]


def place_of(name: str) -> Path:
    """Cache path of known weights."""
    return find_cache_folder() / "detectors" / name / find_url(name).rsplit("/", 1)[1]


def lock_path(path: Path) -> Path:
    """The lock beside a fetched file."""
    return path.with_name(path.name + ".lock.json")


def read_lock(path: Path) -> Lock | None:
    """The lock of a fetched file, or None where there is none.

    Raises:
        LepbenchError: it cannot be read as one.
    """
    lock = lock_path(path)
    if not lock.exists():
        return None
    return parse_config(read_json(lock, "delete it"), Lock, f"{lock} is damaged", "delete it")


def find_prefetched(name: str) -> WeightsFile:
    """Known weights from the cache, with unchanged bytes.

    Raises:
        LepbenchError: it was not fetched, or is another file now.
    """
    path = place_of(name)
    lock = read_lock(path)
    if lock is None or not path.is_file():
        raise LepbenchError(
            f"the weights of {name!r} are not here", f"run 'lepbench prefetch {name}', or give 'weights'"
        )
    return local(path, lock.sha256)


def local(path: Path, sha256: str | None) -> WeightsFile:
    """A file, its hash checked where one is expected.

    Raises:
        LepbenchError: it is missing, or has another hash.
    """
    try:
        status = path.stat()
        found = _digest(path, status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise LepbenchError(f"cannot read the weights {path}: {error.strerror}", "check the path") from error
    check_sha256(str(path), found, sha256)
    return WeightsFile(path, found)


@lru_cache(maxsize=64)
def _digest(path: Path, changed: int, size: int) -> str:
    """The file's hash, computed again only if its modification time or size changed."""
    return sha256_file(path)


def read(file: WeightsFile) -> Weights:
    """The tensors of a file of weights, by the names of a plain module.

    The hashed bytes are read. From other formats than safetensors only tensors are unpickled, from a
    `state_dict` if there is one, and the prefix `module.` of data parallel training is removed.

    Raises:
        LepbenchError: it is another file by now, or holds no tensors by name.
    """
    path, content = file.path, file.path.read_bytes()
    check_sha256(str(path), sha256_bytes(content), file.sha256)
    tensors = _safe(path, content) if path.suffix == SAFE else _torch(path, content)
    return {name.removeprefix("module."): tensor for name, tensor in tensors.items()}


def _safe(path: Path, content: bytes) -> Weights:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return dict(load(content))
    except SafetensorError as error:
        raise LepbenchError(
            f"{path} is no safetensors file: {error}", "download it again, or give another file"
        ) from error


def _torch(path: Path, content: bytes) -> Weights:
    try:
        found = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises what its readers of zip and pickle raise
        raise LepbenchError(
            f"{path} holds no weights that can be read: {type(error).__name__}",
            "give a file of weights alone, as torch.save(model.state_dict(), FILE) writes",
        ) from error
    tensors = found.get("state_dict", found) if isinstance(found, dict) else found
    if not isinstance(tensors, dict) or not all(isinstance(tensor, Tensor) for tensor in tensors.values()):
        raise LepbenchError(
            f"{path} holds no tensors by name",
            "give a file of weights alone, as torch.save(model.state_dict(), FILE) writes",
        )
    return tensors
