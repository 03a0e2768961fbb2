"""Attacks: changes of pictures that raise an alignment figure and make no better picture.

Pictures are float32 [B, 3, H, W] in [0, 1], sketches float32 [B, 1, H, W], 1 on a stroke.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
from kornia.filters import gaussian_blur2d, spatial_gradient
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import Tensor

Attack = Callable[[Tensor, Tensor, float], Tensor]
"""Pictures, sketches and a strength to attacked pictures."""
Submission = Callable[[Tensor], Tensor]
"""Sketches to pictures that are made of nothing else."""

GAP = 3
"""Pixels between the ends of two strokes that still close a region."""
SOFT = 3.2
"""Sigma in px of a blur that leaves few edges."""
LIGHT = (0.8, 0.6)
"""The direction, in x and y, that an embossed stroke is lit from."""
FADE = 4.0
"""Pixels over which the light beside it falls to a third."""


def lined(pictures: Tensor, lines: Tensor, opacity: float) -> Tensor:
    """Lines [B, 1, H, W] in [0, 1] laid on pictures, black or white, whichever stands out on each."""
    luma = (pictures * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
    under = (luma * lines).sum((2, 3), keepdim=True) / lines.sum((2, 3), keepdim=True).clamp_min(1)
    ink = (under < 0.5).float()
    return pictures + opacity * lines * (ink - pictures)


def overlay(pictures: Tensor, sketches: Tensor, opacity: float) -> Tensor:
    """The sketch drawn on the picture."""
    return lined(pictures, sketches, opacity)


def halo(pictures: Tensor, sketches: Tensor, opacity: float) -> Tensor:
    """A soft glow along the sketch."""
    return lined(pictures, (2 * gaussian_blur2d(sketches, (7, 7), (1.0, 1.0))).clamp(0, 1), opacity)


def blur(pictures: Tensor, sketches: Tensor, sigma: float) -> Tensor:
    """The picture out of focus by `sigma` px."""
    return gaussian_blur2d(pictures, (15, 15), (sigma, sigma))


def displacement(pictures: Tensor, sketches: Tensor, pixels: float) -> Tensor:
    """The picture moved down and right."""
    return pictures.roll((int(pixels), int(pixels)), dims=(2, 3))


def fill(pictures: Tensor, sketches: Tensor, share: float) -> Tensor:
    """The regions that the sketch encloses mixed with their mean colour, each in one."""
    flat = [paint(p, regions(s), None) for p, s in zip(pictures, sketches, strict=True)]
    return torch.lerp(pictures, torch.stack(flat), share)


def relief(pictures: Tensor, sketches: Tensor, contrast: float) -> Tensor:
    """Each region lighter or darker by `contrast` times half the range, the picture kept within it."""
    shifts = colour_book(sketches).mean(1, keepdim=True) - 0.5
    return (pictures + contrast * shifts).clamp(0, 1)


def emboss(pictures: Tensor, sketches: Tensor, contrast: float) -> Tensor:
    """Each stroke made a step of `contrast`, lighter on one side and darker on the other, that soon fades."""
    slopes = spatial_gradient(gaussian_blur2d(sketches, (19, 19), (3.0, 3.0)))[:, 0]
    side = torch.einsum("bdhw,d->bhw", slopes, torch.tensor(LIGHT)).sign()
    far = np.stack([distance_transform_edt(sketch[0].numpy() == 0) for sketch in sketches])
    fading = torch.from_numpy(far).float().div(-FADE).exp()
    return (pictures + contrast / 2 * (side * fading)[:, None]).clamp(0, 1)


def blur_and_overlay(pictures: Tensor, sketches: Tensor, opacity: float) -> Tensor:
    """The sketch drawn on a picture without edges of its own."""
    return overlay(blur(pictures, sketches, SOFT), sketches, opacity)


def blur_and_emboss(pictures: Tensor, sketches: Tensor, contrast: float) -> Tensor:
    """The sketch embossed on a picture without edges of its own."""
    return emboss(blur(pictures, sketches, SOFT), sketches, contrast)


def colour_book(sketches: Tensor) -> Tensor:
    """Nothing but the sketch's regions, each in a flat colour of its own."""
    blank = torch.zeros(3, *sketches.shape[2:])
    return torch.stack([paint(blank, regions(s), np.random.default_rng(0)) for s in sketches])


def regions(sketch: Tensor) -> NDArray[np.int32]:
    """The number of the region on each pixel, from 1, int32 [H, W]; a stroke belongs to the nearest one."""
    lines = sketch[0].numpy().astype(np.uint8)
    closed = cv2.morphologyEx(lines, cv2.MORPH_CLOSE, np.ones((GAP, GAP), np.uint8))
    _, labels = cv2.connectedComponents(1 - closed, connectivity=4)
    nearest = distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
    return labels[tuple(nearest)]


def paint(picture: Tensor, labels: NDArray[np.int32], random: np.random.Generator | None) -> Tensor:
    """Each region in its mean colour, or in one drawn at random."""
    count = int(labels.max()) + 1
    if random is not None:
        colours = random.random((3, count))
    else:
        sizes = np.maximum(np.bincount(labels.ravel(), minlength=count), 1)
        sums = [np.bincount(labels.ravel(), plane.numpy().ravel(), minlength=count) for plane in picture]
        colours = np.stack(sums) / sizes
    return torch.from_numpy(colours[:, labels]).float()


ATTACKS: dict[str, tuple[Attack, tuple[float, ...]]] = {
    "overlay": (overlay, (0.1, 0.25, 0.5, 1.0)),
    "halo": (halo, (0.1, 0.25, 0.5, 1.0)),
    "blur": (blur, (0.6, 1.2, 2.0, 3.2)),
    "displacement": (displacement, (1, 2, 4, 8)),
    "fill": (fill, (0.25, 0.5, 1.0)),
    "relief": (relief, (0.25, 0.5, 1.0)),
    "emboss": (emboss, (0.25, 0.5, 1.0)),
    "blur, overlay": (blur_and_overlay, (0.5, 1.0)),
    "blur, emboss": (blur_and_emboss, (0.5, 1.0)),
}
SUBMISSIONS: dict[str, Submission] = {
    "sketch, black on white": lambda sketches: (1 - sketches).expand(-1, 3, -1, -1),
    "sketch, white on black": lambda sketches: sketches.expand(-1, 3, -1, -1),
    "colouring book": colour_book,
}
"""Pictures that a sketch alone makes."""
