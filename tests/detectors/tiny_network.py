"""A network of one convolution, registered by no name: what every detector with weights must do."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from lepbench.detectors import NetworkDetector


class Tiny(NetworkDetector):
    version: ClassVar[str] = "1"
    multiple: ClassVar[int] = 4

    name: str = "dexined"  # so that a known checkpoint stands for it

    @classmethod
    def build(cls) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Conv2d(4, 1, 1), nn.Dropout(0.9)
        )

    def grade(self, network: nn.Module, images: Tensor) -> Tensor:
        assert images.shape[-1] % 4 == images.shape[-2] % 4 == 0
        return torch.sigmoid(network(images))[:, 0]


def tiny_weights(seed: int) -> dict[str, Tensor]:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return {name: value.detach().clone() for name, value in Tiny.build().state_dict().items()}


def save_safe(path: Path, seed: int = 0) -> Path:
    save_file(tiny_weights(seed), path)
    return path


def save_torch(path: Path, seed: int = 0, prefix: str = "module.") -> Path:
    """As data parallel training leaves it."""
    weights = {prefix + name: value for name, value in tiny_weights(seed).items()}
    torch.save({"state_dict": weights, "epoch": 10}, path)
    return path
