"""Labels as numbers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def number_labels(values: Sequence[str]) -> Tensor:
    """int64 [N]: equal numbers for equal values, from 0 in their order."""
    numbers = {value: number for number, value in enumerate(sorted(set(values)))}
    return torch.tensor([numbers[value] for value in values], dtype=torch.long)
