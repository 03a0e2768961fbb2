"""Generate one image from one sketch, with the predicted edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from lepbench.backbones.backbone import Backbone
from lepbench.guidance.importance import pool_weights
from lepbench.guidance.sampler import sample
from lepbench.guidance.settings import SamplerSettings
from lepbench.guidance.steering import SketchGuidance
from lepbench.guidance.strip import draw_strip
from lepbench.images import Pixels, to_pixels
from lepbench.panels import draw_strokes
from lepbench.progress import Progress, ignore_progress
from lepbench.seeds import make_generator


class DrawnPicture(NamedTuple):
    """An image uint8 [H, W, 3], and a strip of panels for inspection."""

    picture: Pixels
    strip: Pixels


def draw_picture(
    backbone: Backbone,
    guide: Callable[..., SketchGuidance],
    prompt: str,
    strokes: NDArray[np.bool_],
    *,
    settings: SamplerSettings,
    seed: int,
    weights: NDArray[np.float32] | None = None,
    progress: Progress = ignore_progress,
) -> DrawnPicture:
    """Generate an image of `prompt` guided by `strokes` bool [H, W].

    Args:
        guide: from encoded strokes and `weights=` of their latent pixels.
        weights: float [H, W] from 0 up, how much the sketch matters at each pixel; None: the same.
        progress: called with (stage, done, total) after every denoising step.

    The strip shows the sketch, the edges predicted at the last guided step (where there was one) and the
    picture; all lines black on white.
    """
    source = make_generator(seed)
    noise = torch.randn(1, *backbone.latent_shape((strokes.shape[0], strokes.shape[1])), generator=source)
    target = backbone.encode_edges(torch.from_numpy(strokes)[None])
    latent = (target.shape[-2], target.shape[-1])
    mattering = None if weights is None else pool_weights(torch.from_numpy(weights)[None], latent)
    drawn = sample(
        backbone,
        [prompt],
        noise,
        settings,
        guidance=guide(target, weights=mattering),
        generators=[source],
        progress=progress,
    )
    picture = to_pixels(backbone.decode_latents(drawn.latents))[0]
    panels = [("sketch", draw_strokes(strokes)), (prompt, picture)]
    if drawn.edges is not None:
        edges = to_pixels(1 - backbone.decode_latents(drawn.edges))[0]
        panels.insert(1, ("predicted edges", edges))
    return DrawnPicture(picture, draw_strip(panels))
