"""Seeds that belong to items: the same item gets the same noise in any batch, process or device."""

from __future__ import annotations

import hashlib
import operator
from typing import TYPE_CHECKING, Any

from lepbench.errors import LepbenchError

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def derive_seed(*parts: str | int) -> int:
    """A 63-bit seed from the hash of its parts, e.g. `derive_seed(suite, item_id, sample_index)`."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def is_held_out(name: str, share: float) -> bool:
    """Whether a sample is kept from training, where a share in (0, 1) of them is; by the hash of its name."""
    return derive_seed("held-out", name) < share * 2**63


def read_seed(seed: Any) -> int:
    """A seed of any integer kind, numpy's too, as int.

    Raises:
        LepbenchError: it is no integer, or none of 64 bits.
    """
    try:
        number = operator.index(seed)
    except TypeError:
        raise LepbenchError(f"seed={seed!r} is no integer", "give one such as 0") from None
    if not -(2**63) <= number < 2**64:
        raise LepbenchError(f"seed={number} has more than 64 bits", "give a smaller one")
    return number


def make_generator(seed: int) -> torch.Generator:
    """A CPU generator for one item; noise is drawn on the CPU so that devices agree."""
    # Suites hash their items' seeds without it.
    import torch

    return torch.Generator("cpu").manual_seed(seed)


def draw_noise(seed: int, shape: tuple[int, ...]) -> Tensor:
    """Standard normal float32 noise of `shape` for one item."""
    import torch

    return torch.randn(shape, generator=make_generator(seed), dtype=torch.float32)
