"""What an extractor is: a named network that turns pictures into the features that sets are compared by."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lepbench.errors import LepbenchError
from lepbench.files import sha256_bytes
from lepbench.registry import Registry

Network = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Extractor:
    """A named network.

    Attributes:
        name: what a figure made with it is labelled by.
        size: height and width it reads, in pixels; None where it takes any and resizes by itself.
        network: float [B, 3, size, size] in [0, 255], on the CPU, to features [B, D].
        unit: whether cosine is its natural similarity, as for CLIP: CMMD is then defined.
    """

    name: str
    size: int | None
    network: Network
    unit: bool = False


Factory = Callable[[str, str | None, str], Extractor]
"""From what follows the colon, an expected hash and a device."""
EXTRACTORS: Registry[Factory] = Registry("extractor")


def load_extractor(spec: str, sha256: str | None = None, device: str = "cpu") -> Extractor:
    """The extractor that `KIND` or `KIND:SOURCE` names.

    Args:
        spec: "judge", "clip:FOLDER_OR_ID", "dinov2:FOLDER_OR_ID", "torchscript:FILE", "torch-fidelity:FILE"
            or "torchmetrics:FILE".
        sha256: what the bytes of a file must hash to; a TorchScript file needs it.
        device: where the network runs, "cpu" or "cuda".

    Raises:
        LepbenchError: there is no such kind, or its files are missing, damaged or not the ones pinned.
    """
    kind, _, source = spec.partition(":")
    return EXTRACTORS.get(kind)(source, sha256, device)


def read_pinned(kind: str, source: str, sha256: str | None) -> tuple[io.BytesIO, str]:
    """The bytes of a file, which are those asked for, and what to call an extractor made of them.

    Raises:
        LepbenchError: there is no such file, or its hash is another.
    """
    path = Path(require_source(kind, source))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LepbenchError(f"missing weight file {path}", "check the path") from error
    found = sha256_bytes(content)
    if sha256 is not None and found != sha256.lower():
        raise LepbenchError(f"{path} has SHA-256 {found}, not {sha256}", "fetch the published file again")
    return io.BytesIO(content), f"{kind}:{path.name}#{found[:16]}"


def require_source(kind: str, source: str) -> str:
    """What follows the colon of a kind that needs it.

    Raises:
        LepbenchError: nothing does.
    """
    if not source:
        raise LepbenchError(f"extractor {kind!r} needs a source", f"write {kind}:FOLDER_OR_ID or {kind}:FILE")
    return source


def make_normaliser(mean: Any, deviation: Any) -> Network:
    """From [0, 255] to the range that a network was trained on, by its mean and deviation of [0, 1]."""
    centre, spread = (torch.tensor(v, dtype=torch.float32).view(1, 3, 1, 1) for v in (mean, deviation))
    return lambda batch: (batch / 255 - centre) / spread
