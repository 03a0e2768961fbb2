"""The arithmetic of a training: bfloat16 where the processor has it, else float32."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch

Precision = Literal["fp32", "bf16"]
INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")
"""What PyTorch calls bfloat16 arithmetic of processors."""


class ChosenPrecision(NamedTuple):
    """What is computed in, and a word on it."""

    precision: Precision
    note: str


def choose_precision(asked: Precision, device: torch.device) -> ChosenPrecision:
    """What a recipe asks for, or float32 where bfloat16 is emulated: it takes ten times as long there."""
    if asked == "bf16" and not has_bfloat16(device):
        return ChosenPrecision("fp32", "fp32, since this processor has no bfloat16")
    return ChosenPrecision(asked, asked)


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device computes in bfloat16 by instructions of its own."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return any(torch.cpu.get_capabilities().get(name, False) for name in INSTRUCTIONS)
