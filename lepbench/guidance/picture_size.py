"""Picture sizes far from those a backbone was trained on."""

from __future__ import annotations

from lepbench.backbones.backbone import Backbone
from lepbench.images import format_size

NEAR = 1.5
"""Ratio of a side to that of the training pictures up to which a size is near theirs, either way."""


def describe_far_size(backbone: Backbone, size: tuple[int, int]) -> list[str]:
    """A note where a side of `size`, (height, width) in px, is far from the training pictures', or none."""
    side = backbone.image_size
    if all(side <= NEAR * given and given <= NEAR * side for given in size):
        return []
    trained = format_size((side, side))
    return [f"{backbone.name} was trained at {trained} px: at {format_size(size)} px expect worse pictures"]
