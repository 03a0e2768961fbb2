"""Pictures made for judges: from sketch and caption without a model, and by the judges' own gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from attack_kinds import regions
from torch import Tensor
from torch.nn import functional

from lepbench.judges.classifier import Probe
from lepbench.judges.clip import ClipScorer, pooled
from lepbench.sketchworld import ATTRIBUTES, BACKGROUNDS, COLOURS
from lepbench.suites import Item

AT_ONCE = 64
Wish = Callable[[Tensor, Tensor], Tensor]
"""Of pictures float [B, 3, H, W] in [0, 1] and their numbers [B]: how far they fulfil it."""


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


def climb(pictures: Tensor, wishes: Sequence[Wish], *, steps: int, reach: float, pull: float = 2.5) -> Tensor:
    """The pictures within `reach` of those given that fulfil the wishes best.

    Args:
        pictures: float [N, 3, H, W] in [0, 1].
        reach: largest change of a channel of a pixel.
        pull: lengths of the way to that bound that all steps together could go.

    Source: Madry et al., "Towards deep learning models resistant to adversarial attacks", 2018, equation 1.
    """
    parts = torch.arange(len(pictures)).split(AT_ONCE)
    sizes = [pull * reach / steps] * steps
    return torch.cat([_climb(pictures[part], part, wishes, sizes=sizes, reach=reach) for part in parts])


def _climb(
    pictures: Tensor, part: Tensor, wishes: Sequence[Wish], *, sizes: Sequence[float], reach: float
) -> Tensor:
    change = torch.zeros_like(pictures)
    for size in sizes:
        change.requires_grad_(True)
        shown = (pictures + change).clamp(0, 1)
        fulfilled = torch.stack([wish(shown, part) for wish in wishes]).sum()
        (slope,) = torch.autograd.grad(fulfilled, change)
        change = (change.detach() + size * slope.sign()).clamp(-reach, reach)
    return (pictures + change).clamp(0, 1).detach()


def wish_captions(judge: ClipScorer, captions: Sequence[str]) -> Wish:
    """That a CLIP model finds the pictures like their captions."""
    texts = judge.text_features(captions)
    return lambda shown, part: functional.cosine_similarity(embed(judge, shown), texts[part]).sum()


def wish_features(judge: ClipScorer, targets: Tensor) -> Wish:
    """That a CLIP model's features of the pictures are near to others, [N, D]."""
    return lambda shown, part: functional.cosine_similarity(embed(judge, shown), targets[part]).sum()


def wish_classes(probe: Probe, classes: Sequence[str | None]) -> Wish:
    """That the classifier reads the class of each item; None where it has none."""
    shapes = ATTRIBUTES["shape"]
    asked = torch.tensor([-1 if name is None else shapes.index(name) for name in classes])

    def fulfil(shown: Tensor, part: Tensor) -> Tensor:
        return -functional.cross_entropy(probe(shown)["shape"], asked[part], ignore_index=-1, reduction="sum")

    return fulfil


def embed(judge: ClipScorer, pictures: Tensor) -> Tensor:
    """A judge's features of pictures, with their gradient."""
    mean, deviation = (
        torch.tensor(values)[:, None, None]
        for values in (judge.processor.image_mean, judge.processor.image_std)
    )
    return pooled(judge.model.get_image_features(pixel_values=(pictures - mean) / deviation))
