"""Does a picture show what a sketch means, wherever it shows it? A small network of two towers says."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from lepbench.judges.base import JUDGES, Ability, JudgeConfig, LoadedJudge, Matching
from lepbench.judges.networks import WEIGHTS, Residual, load_weights
from lepbench.judges.paths import MATCHER

WIDTH = 64


class Matcher(nn.Module):
    """Two towers into one space: sketches and pictures of the same things lie close."""

    def __init__(self) -> None:
        super().__init__()
        self.sketch, self.picture = _tower(1), _tower(3)
        self.log_scale = nn.Parameter(torch.tensor(2.5))

    def sketch_features(self, sketches: Tensor) -> Tensor:
        """Unit features [B, 64] of strokes, bool or float [B, 64, 64], 1 on a stroke."""
        return functional.normalize(self.sketch(sketches.float()[:, None]).float(), dim=1)

    def picture_features(self, images: Tensor) -> Tensor:
        """Unit features [B, 64] of pictures, float [B, 3, 64, 64] in [0, 1]."""
        return functional.normalize(self.picture(images * 2 - 1).float(), dim=1)

    def forward(self, sketches: Tensor, images: Tensor) -> Tensor:
        """Scaled similarities [B, B], a row a sketch."""
        return self.log_scale.exp() * self.sketch_features(sketches) @ self.picture_features(images).T


def _tower(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, 24, 3, stride=2, padding=1),
        nn.ReLU(),
        Residual(24, 32),
        Residual(32, 64, 2),
        Residual(64, 96, 2),
        Residual(96, 128, 2),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(128 * 4, WIDTH),
    )


def load_matcher(folder: Path = MATCHER) -> Matcher:
    """The matcher kept in a folder.

    Raises:
        LepbenchError: the weights are missing or damaged.
    """
    return load_weights(Matcher(), folder)


@JUDGES.register("sketchworld-matcher")
class SketchworldMatcherConfig(JudgeConfig):
    """The matcher that ships: sketches and pictures of sketchworld in one space, at 64 px, on the CPU."""

    able: ClassVar[tuple[Ability, ...]] = ("sketches",)
    name: Literal["sketchworld-matcher"] = "sketchworld-matcher"
    version: Literal[1] = 1

    def load(self, device: str) -> LoadedJudge:
        matcher, weights = load_matcher(), MATCHER / WEIGHTS
        return LoadedJudge(
            {weights.name: weights}, sketches=Matching(matcher.sketch_features, matcher.picture_features)
        )
