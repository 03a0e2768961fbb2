"""Held-out error of a predictor by timestep."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from lepbench.backbones.backbone import Backbone
from lepbench.predictors.base import Predictor
from lepbench.predictors.features import NoisyFeatures
from lepbench.predictors.latents import EncodedTriplets
from lepbench.progress import Progress
from lepbench.seeds import derive_seed, draw_noise

BINS = 10
BATCH = 32
MOST = 256
"""Maximum number of held-out triplets that are measured, from the front."""


class BinLoss(NamedTuple):
    """Held-out error over `t_low <= t < t_high`, measured at the middle.

    `mse` is the mean squared error in latent units and `stroke_mse` the same over the latents that a stroke
    passes through (nan where none does); `target_variance` is the error of predicting the mean.
    """

    t_low: int
    t_high: int
    mse: float
    target_variance: float
    stroke_mse: float


def measure_held_out_curve(
    backbone: Backbone,
    predictor: Predictor,
    data: EncodedTriplets,
    progress: Progress,
    bins: int = BINS,
    batch: int = BATCH,
) -> list[BinLoss]:
    """The error in equal parts of the schedule, with noise seeded by triplet and part.

    Args:
        batch: triplets read at a time, `BATCH` at most; the one of training fits the memory.
    """
    at_once = min(batch, BATCH)
    features = NoisyFeatures(backbone, predictor)
    count = min(len(data), MOST)
    strokes = int(data.strokes[:count].sum()) * data.edges.shape[1]
    variance = data.edges[:count].var(dim=(0, 2, 3), unbiased=False).mean().item()
    bounds = [backbone.train_timesteps * part // bins for part in range(bins + 1)]
    curve = []
    predictor.eval()
    for part, (low, high) in enumerate(pairwise(bounds)):
        total = torch.zeros(2, dtype=torch.float64)
        for start in range(0, count, at_once):
            rows = torch.arange(start, min(start + at_once, count))
            total += _squared_errors(features, data, rows, part=part, t=(low + high) // 2)
        everywhere, on_strokes = total.tolist()
        mse = everywhere / data.edges[:count].numel()
        curve.append(
            BinLoss(
                low,
                high,
                mse=mse,
                target_variance=variance,
                stroke_mse=on_strokes / strokes if strokes else math.nan,
            )
        )
        progress("held-out loss", part + 1, bins)
    return curve


@torch.no_grad()
def _squared_errors(
    features: NoisyFeatures, data: EncodedTriplets, rows: Tensor, part: int, t: int
) -> Tensor:
    """Summed over these rows: everywhere, and where strokes are; float64 `[2]`."""
    seeds = [derive_seed("held-out", data.ids[int(row)], part) for row in rows]
    shape = tuple(data.images.shape[1:])
    drawn = torch.stack([draw_noise(seed, shape) for seed in seeds])
    predicted = features.predict(data.images[rows], drawn, torch.full((len(rows),), t), data.text(rows))
    errors = (predicted.cpu() - data.edges[rows]).square().sum(dim=1).double()
    return torch.stack([errors.sum(), errors[data.strokes[rows]].sum()])
