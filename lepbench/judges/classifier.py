"""What does a picture show? A classifier of the attributes of one-thing pictures, the probe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from lepbench.judges.base import JUDGES, Ability, JudgeConfig, LoadedJudge
from lepbench.judges.networks import WEIGHTS, Residual, load_weights
from lepbench.judges.paths import PROBE
from lepbench.sketchworld import ATTRIBUTES


class Probe(nn.Module):
    """Pictures [B, 3, 64, 64] in [0, 1] to logits [B, classes] of each of `ATTRIBUTES`."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(3, 24, 3, stride=2, padding=1),
            nn.ReLU(),
            Residual(24, 32),
            Residual(32, 64, 2),
            Residual(64, 96, 2),
            Residual(96, 128, 2),
        )
        self.heads = nn.ModuleDict(
            {name: nn.Linear(128 * 4, len(values)) for name, values in ATTRIBUTES.items()}
        )

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        # Four quadrants rather than one mean: a shape is known by where its parts are.
        pooled = functional.adaptive_avg_pool2d(self.trunk(images * 2 - 1), 2).flatten(1)
        return {name: head(pooled) for name, head in self.heads.items()}


def load_probe(folder: Path) -> Probe:
    """The probe kept in a folder."""
    return load_weights(Probe(), folder)


@torch.no_grad()
def accuracy(probe: Probe, images: Tensor, labels: dict[str, Tensor]) -> dict[str, float]:
    """Share of pictures [N, 3, 64, 64] whose attribute the probe reads as labelled, by attribute."""
    pieces = [probe(batch) for batch in torch.split(images, 128)]
    return {
        name: float((torch.cat([p[name] for p in pieces]).argmax(1) == labels[name]).float().mean())
        for name in ATTRIBUTES
    }


@JUDGES.register("sketchworld-classifier")
class SketchworldClassifierConfig(JudgeConfig):
    """The classifier that ships: the shape that a picture of sketchworld shows, at 64 px, on the CPU."""

    able: ClassVar[tuple[Ability, ...]] = ("classes",)
    name: Literal["sketchworld-classifier"] = "sketchworld-classifier"
    version: Literal[1] = 1

    def load(self, device: str) -> LoadedJudge:
        probe, weights = load_probe(PROBE), PROBE / WEIGHTS

        @torch.no_grad()
        def classify(images: Tensor, classes: Sequence[str]) -> list[str]:
            # Of every shape that it knows, whichever a suite has.
            return [ATTRIBUTES["shape"][best] for best in probe(images)["shape"].argmax(dim=1).tolist()]

        return LoadedJudge({weights.name: weights}, classes=classify)
