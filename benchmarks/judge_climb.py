"""Pictures made for judges: from sketch and caption without a model, and by the judges' own gradient."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from attack_kinds import regions
from torch import Tensor
from torch.nn import functional

from lepbench.judges.clip import ClipScorer, pooled
from lepbench.sketchworld import BACKGROUNDS, COLOURS
from lepbench.suites import Item

AT_ONCE = 64
PULL = 2.5
"""Lengths of the way to the bound that all steps together could go."""


def fill_by_caption(items: Sequence[Item]) -> Tensor:
    """The regions of each sketch in its caption's colours: the ground as sketchworld's, the rest in one.

    Returns:
        float32 [N, 3, H, W] in [0, 1].
    """
    return torch.stack([_fill(item) for item in items])


def _fill(item: Item) -> Tensor:
    labels = regions(torch.tensor(item.sketch, dtype=torch.float32)[None])
    height, width = labels.shape
    ground = next(ground for ground in BACKGROUNDS.values() if ground.phrase in item.prompt)
    colour = next((rgb for word, rgb in COLOURS.items() if word in item.prompt.split()), (128, 128, 128))
    down = np.linspace(0, 1, height)[:, None, None]
    gradient = np.array(ground.top) * (1 - down) + np.array(ground.bottom) * down
    outside = np.broadcast_to((labels == labels[0, 0])[..., None], (height, width, 3))
    picture = np.where(outside, np.broadcast_to(gradient, (height, width, 3)), np.array(colour)) / 255
    return torch.from_numpy(picture).float().permute(2, 0, 1)


def climb_judges(
    pictures: Tensor,
    captions: Sequence[str],
    judges: Sequence[ClipScorer],
    *,
    steps: int,
    reach: float,
    targets: Tensor | None = None,
) -> Tensor:
    """The pictures within `reach` of those given that CLIP models find most like their captions.

    Args:
        pictures: float [N, 3, H, W] in [0, 1].
        reach: largest change of a channel of a pixel.
        targets: features [N, D] of other pictures by the last judge, to come near to as well.

    Source: Madry et al., "Towards deep learning models resistant to adversarial attacks", 2018, equation 1.
    """
    parts = torch.arange(len(pictures)).split(AT_ONCE)
    found = [
        _climb(
            pictures[part],
            [captions[i] for i in part],
            judges,
            steps=steps,
            reach=reach,
            targets=None if targets is None else targets[part],
        )
        for part in parts
    ]
    return torch.cat(found)


def _climb(
    pictures: Tensor,
    captions: Sequence[str],
    judges: Sequence[ClipScorer],
    *,
    steps: int,
    reach: float,
    targets: Tensor | None,
) -> Tensor:
    texts = [judge.text_features(captions) for judge in judges]
    change, rate = torch.zeros_like(pictures), PULL * reach / steps
    for _ in range(steps):
        change.requires_grad_(True)
        shown = (pictures + change).clamp(0, 1)
        seen = [embed(judge, shown) for judge in judges]
        likeness = sum(
            functional.cosine_similarity(one, text).sum() for one, text in zip(seen, texts, strict=True)
        )
        if targets is not None:
            likeness = likeness + functional.cosine_similarity(seen[-1], targets).sum()
        (slope,) = torch.autograd.grad(likeness, change)  # type: ignore[arg-type]
        change = (change.detach() + rate * slope.sign()).clamp(-reach, reach)
    return (pictures + change).clamp(0, 1).detach()


def embed(judge: ClipScorer, pictures: Tensor) -> Tensor:
    """A judge's features of pictures, with their gradient."""
    mean, deviation = (
        torch.tensor(values)[:, None, None]
        for values in (judge.processor.image_mean, judge.processor.image_std)
    )
    return pooled(judge.model.get_image_features(pixel_values=(pictures - mean) / deviation))
