"""A TorchScript Inception of a few weights, as a fixture."""

import warnings
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn


class Inception(nn.Module):
    """A stand-in laid out as the published file: `layers`, fed (x - 128) / 128 at 299 px."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 12, 16, 16), nn.ReLU(), nn.AdaptiveAvgPool2d(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "inception.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch would have new files made otherwise
        torch.jit.script(Inception()).save(str(path))
    return path
