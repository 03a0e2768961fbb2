"""What the tests of guidance share: noise of three samples, a predictor with random weights, its targets."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.predictors import MlpConfig, MlpPredictor
from lepbench.seeds import draw_noise

COUNT = 3


@pytest.fixture(scope="session")
def start() -> Tensor:
    return torch.stack([draw_noise(i, (4, 16, 16)) for i in range(COUNT)])


@pytest.fixture(scope="session")
def predictor(tiny_backbone: Backbone) -> MlpPredictor:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        config = MlpConfig(
            taps=tiny_backbone.tap_channels, out_channels=4, train_timesteps=1000, hidden=(16, 8)
        )
        return MlpPredictor(config).requires_grad_(False).eval()


@pytest.fixture(scope="session")
def target() -> Tensor:
    with torch.random.fork_rng():
        torch.manual_seed(2)
        return torch.randn(COUNT, 4, 16, 16)
