"""Picture sizes far from those a backbone was trained on."""

from __future__ import annotations

from lepbench.backbones.backbone import Backbone
from lepbench.images import format_size

NEAR = 1.5
"""Ratio of a side to that of the training pictures up to which a size is near theirs, either way."""


def describe_far_size(backbone: Backbone, size: tuple[int, int]) -> list[str]:
    """A note where a side of `size`, (height, width) in px, is far from the training pictures', or none.

    There is none for a network whose config does not say what it was trained at.
    """
    latent = backbone.family.latent_size(backbone.denoiser.config)
    if latent is None:
        return []
    trained = (latent[0] * backbone.vae_factor, latent[1] * backbone.vae_factor)
    if all(side <= NEAR * given and given <= NEAR * side for side, given in zip(trained, size, strict=True)):
        return []
    at, now = format_size(trained), format_size(size)
    return [f"{backbone.name} was trained at {at} px: at {now} px expect worse pictures"]
