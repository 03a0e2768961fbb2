"""Drawings on transparent ground."""

from __future__ import annotations

import numpy as np
from PIL import Image

from lepbench.images import Pixels, split_opacity, to_rgb

NEAR_WHITE = 24
"""Grey levels from white up to which ink is lost on white paper."""
LOST = 0.95
"""Share of the ink lost on white from which the opacity alone is the drawing."""


def lay_drawing(image: Image.Image) -> tuple[Pixels, bool]:
    """A drawing uint8 [H, W, 3] on opaque ground, and whether it is the opacity alone, opaque being black.

    A transparent ground becomes white. Where nearly all of the ink is lost on it, as white ink is, the
    opacity is the drawing. Opacity that is the same everywhere says nothing.
    """
    _, opacity = split_opacity(image)
    on_white = np.asarray(to_rgb(image))
    if opacity is None:
        return on_white, False
    lost = on_white.min(axis=-1) > 255 - NEAR_WHITE
    if (opacity * lost).sum() < LOST * opacity.sum(dtype=np.int64):
        return on_white, False
    return np.repeat(255 - opacity[..., None], 3, axis=-1), True
