"""One figure that an embedded model must reach, and the pictures that it is measured on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.config import Config
from lepbench.detectors import Canny
from lepbench.images import to_tensor
from lepbench.progress import Progress
from lepbench.seeds import derive_seed, draw_noise
from lepbench.sketchworld import Scene, render

DETECTOR = Canny(low=0.3, high=0.6)
BATCH = 64


class Gate(Config):
    """One measured figure, and the least it must be; `threshold` null marks one that is reported only."""

    name: str
    value: float
    threshold: float | None = None

    @property
    def met(self) -> bool:
        return self.threshold is None or self.value >= self.threshold


def render_pictures(scenes: Sequence[Scene]) -> Tensor:
    """The scenes as pictures, float32 [N, 3, 64, 64]."""
    return torch.stack([to_tensor(render(scene).image) for scene in scenes])


def draw_scenes(
    backbone: Backbone,
    scenes: Sequence[Scene],
    draw: Callable[[slice, Tensor], Tensor],
    title: str,
    progress: Progress,
) -> Tensor:
    """Pictures [N, 3, 64, 64] of the scenes, each from the noise of its own seed.

    Args:
        draw: from the rows of a batch and their noise to its pictures.
        title: what progress calls them.
    """
    shape = backbone.latent_shape(64)
    drawn = []
    for first in range(0, len(scenes), BATCH):
        rows = slice(first, min(first + BATCH, len(scenes)))
        noise = [draw_noise(derive_seed("gates", scene.id), shape) for scene in scenes[rows]]
        drawn.append(draw(rows, torch.stack(noise)))
        progress(title, rows.stop, len(scenes))
    return torch.cat(drawn)
