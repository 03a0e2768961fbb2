"""Which pixels belong to an object? A small network trained on renders, whose word `mask_iou` takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from lepbench.judges.base import JUDGES, Ability, JudgeConfig, LoadedJudge
from lepbench.judges.networks import WEIGHTS, Residual, load_weights
from lepbench.judges.paths import SEGMENTER


class Segmenter(nn.Module):
    """Pictures [B, 3, 64, 64] in [0, 1] to object logits [B, 64, 64]."""

    def __init__(self) -> None:
        super().__init__()
        self.level_1 = nn.Sequential(nn.Conv2d(3, 16, 3, stride=1, padding=1), nn.ReLU())
        self.level_2 = Residual(16, 32, 2)
        self.level_3 = Residual(32, 64, 2)
        self.level_4 = nn.Sequential(Residual(64, 96, 2), Residual(96, 96))
        self.up_3 = Residual(96 + 64, 64)
        self.up_2 = Residual(64 + 32, 32)
        self.out = nn.Sequential(
            nn.Conv2d(32 + 16, 16, 3, stride=1, padding=1), nn.ReLU(), nn.Conv2d(16, 1, 1)
        )

    def forward(self, images: Tensor) -> Tensor:
        one = self.level_1(images * 2 - 1)
        two = self.level_2(one)
        three = self.level_3(two)
        up = self.up_3(_beside(self.level_4(three), three))
        up = self.up_2(_beside(up, two))
        logits: Tensor = self.out(_beside(up, one))[:, 0]
        return logits


def _beside(coarse: Tensor, fine: Tensor) -> Tensor:
    return torch.cat([functional.interpolate(coarse, scale_factor=2, mode="nearest"), fine], dim=1)


def load_segmenter(folder: Path = SEGMENTER) -> Callable[[Tensor], Tensor]:
    """The segmenter as a function: pictures [B, 3, H, W] in [0, 1] to bool [B, H, W], true on an object.

    Raises:
        LepbenchError: the weights are missing or damaged.
    """
    model = load_weights(Segmenter(), folder)

    @torch.no_grad()
    def segment(images: Tensor) -> Tensor:
        return torch.cat([model(batch) for batch in torch.split(images.float(), 64)]) > 0

    return segment


@JUDGES.register("sketchworld-segmenter")
class SketchworldSegmenterConfig(JudgeConfig):
    """The segmenter that ships: the objects in a picture of sketchworld, at 64 px, on the CPU."""

    able: ClassVar[tuple[Ability, ...]] = ("masks",)
    name: Literal["sketchworld-segmenter"] = "sketchworld-segmenter"
    version: Literal[1] = 1

    def load(self, device: str) -> LoadedJudge:
        weights = SEGMENTER / WEIGHTS
        return LoadedJudge({weights.name: weights}, masks=load_segmenter())
