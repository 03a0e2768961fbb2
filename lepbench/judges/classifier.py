"""What does a picture show? A classifier of the attributes of one-thing pictures, the probe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from lepbench.judges.base import JUDGES, LoadedJudge, list_weights
from lepbench.judges.networks import Residual, load_weights
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


def load_classifier(folder: Path) -> Callable[[Tensor], list[str]]:
    """The probe as a function: pictures [B, 3, 64, 64] in [0, 1] to the name of the shape each shows.

    Raises:
        LepbenchError: the weights are missing or damaged.
    """
    probe = load_probe(folder)

    @torch.no_grad()
    def classify(images: Tensor) -> list[str]:
        return [ATTRIBUTES["shape"][best] for best in probe(images)["shape"].argmax(dim=1).tolist()]

    return classify


@JUDGES.register("probe@1")
def load_embedded_classifier(device: str) -> LoadedJudge:
    """The classifier of shapes that ships; it is small, and stays on the CPU.

    Raises:
        LepbenchError: the weights are missing or damaged.
    """
    return LoadedJudge(load_classifier(PROBE), list_weights(PROBE))
