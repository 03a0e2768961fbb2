"""The convolutional parts that the small judges share, and how their weights are kept on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from lepbench.errors import LepbenchError
from lepbench.files import atomic_path
from lepbench.weights_header import compare_shapes, read_header

WEIGHTS = "model.safetensors"
N = TypeVar("N", bound=nn.Module)


class Residual(nn.Module):
    """Two 3x3 convolutions with batch normalisation beside a shortcut; `stride` 2 halves the picture."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, stride=1, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.body(x) + self.shortcut(x))


def save_weights(model: nn.Module, folder: Path) -> None:
    """Keep a network's weights as float16 safetensors."""
    halves = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in model.state_dict().items()
    }
    with atomic_path(folder / WEIGHTS) as partial:
        save_file(halves, partial)


def load_weights(model: N, folder: Path) -> N:
    """Load weights kept by `save_weights`, frozen and in evaluation mode.

    Raises:
        LepbenchError: the file is missing, damaged or of another network.
    """
    path = folder / WEIGHTS
    if not path.is_file():
        raise LepbenchError(f"missing weight file {path}", "reinstall lepbench")
    wanted = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    if fault := compare_shapes(wanted, read_header(path, "reinstall lepbench")):
        raise LepbenchError(f"{path} does not fit: {fault}", "reinstall lepbench")
    try:
        model.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError) as error:
        raise LepbenchError(
            f"{path} does not fit: {str(error).splitlines()[0]}", "reinstall lepbench"
        ) from error
    return model.float().eval().requires_grad_(False)
