"""Inputs of a denoiser beside the latent: named tensors, one row per sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Conditioning:
    """The encoded captions of B samples.

    Attributes:
        tensors: name -> `[B, ...]`: `embeddings [B, L, D]` everywhere; `pooled [B, P]`, `mask [B, L]` (1 a
            token, 0 padding) or `guidance`, the scale `[B]` or its embedding `[B, D]`, where the family reads
            them.
    """

    tensors: Mapping[str, Tensor]

    def __len__(self) -> int:
        return len(next(iter(self.tensors.values())))

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name]

    def take(self, rows: Tensor) -> Conditioning:
        """The samples at `rows`, int64 `[N]`; repeats are allowed."""
        return Conditioning({name: tensor[rows] for name, tensor in self.tensors.items()})

    def expand(self, count: int) -> Conditioning:
        """One sample as `count` equal ones, sharing its memory."""
        return Conditioning({name: t.expand(count, *t.shape[1:]) for name, t in self.tensors.items()})

    def to(self, *where: Any) -> Conditioning:
        """On another device, in another dtype, or both, as `Tensor.to`."""
        return Conditioning({name: tensor.to(*where) for name, tensor in self.tensors.items()})

    def with_tensor(self, name: str, tensor: Tensor) -> Conditioning:
        """A copy with a tensor added or replaced."""
        return Conditioning({**self.tensors, name: tensor})

    def with_rows(self, rows: Tensor, other: Conditioning) -> Conditioning:
        """A copy with the samples at `rows`, int64 `[N]`, replaced by the N of `other`, in order."""
        return Conditioning({name: t.index_copy(0, rows, other[name]) for name, t in self.tensors.items()})

    @staticmethod
    def cat(parts: Sequence[Conditioning]) -> Conditioning:
        """The samples of all parts, in order; all parts have the same tensor names."""
        return Conditioning({name: torch.cat([p[name] for p in parts]) for name in parts[0].tensors})
