"""Separate the lines of a drawing from its ground, which a shadow or a lamp may have made uneven."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lepbench.images import Pixels

BLACK_ON_WHITE = "black on white"
WHITE_ON_BLACK = "white on black"

Strokes = NDArray[np.bool_]
Levels = NDArray[np.uint8]
"""Levels of one channel or of grey, [H, W]."""
Contrast = NDArray[np.float32]
Colour = NDArray[np.floating]

LEAST_CONTRAST = 24
"""Minimum contrast of a sketch, in grey levels."""
CLEAR_MAJORITY = 0.6
"""Share of the pixels from which a colour is the background; below it the border decides."""
FLAT = 12
"""Difference in grey levels up to which pixels are of one tone."""
NEARER = 1 / 4
"""The same as a share of the difference between the two tones, where that is less."""
STRAY = 0.2
"""Percentage of a part's pixels that may have any level."""
MIXED = 10
"""Percentage of a part's pixels whose levels may be mixed with the other part's."""
SMALL_PART = 0.05
"""Share of the pixels below which a part without its borders is too small to tell."""
WINDOW = 1 / 6
"""Side of the window whose median is the ground, as a share of the picture's shorter side."""
WIDE_WINDOW = 1 / 3
"""The same where lines are separated from ground: the widest pen does not fill half of it."""
LONGEST = 768
"""Longer side at which the ground is estimated, px."""
LARGEST_WINDOW = 255
"""Largest that OpenCV's median takes, px."""
DEEPEST = 0.5
"""Share of the ground's light that a shadow leaves at least; what is darker is ink."""
NOISES = 5
"""Standard deviations of the ground that a line's contrast exceeds."""
NORMAL_MEDIAN = 0.6745
"""Median of the magnitude of a normal variable of unit deviation."""
FAINTEST = 0.06
"""Least contrast of a line, as a share of the ground."""
EDGE = 0.5
"""Share of the ink's contrast at which a line ends."""
SPECK = 1 / 128
"""Side of a square, as a share of the shorter side, whose area every stroke has."""


def separate_ink(picture: Pixels) -> tuple[Strokes, str]:
    """Strokes bool [H, W] and polarity of a drawing uint8 [H, W, 3].

    A drawing of two colours is split by Otsu's threshold on grey. Any other is compared with its own ground,
    colour by colour: a shadow changes both alike.
    """
    grey = np.asarray(Image.fromarray(picture).convert("L"))
    light, polarity = split_tones(grey)
    if np.ptp(grey) >= LEAST_CONTRAST and has_two_tones(picture, grey, light):
        return (~light if polarity == BLACK_ON_WHITE else light), polarity
    polarity = find_polarity(grey)
    contrast, noise = measure_contrast(picture if polarity == BLACK_ON_WHITE else 255 - picture)
    return drop_specks(contrast > find_threshold(contrast, noise)), polarity


def split_tones(grey: Levels) -> tuple[Strokes, str]:
    """The light pixels of a grey drawing by Otsu's threshold, and its polarity.

    The background is the larger part, or, if neither is clearly larger, the part with most of the border.
    """
    threshold, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    light = np.asarray(grey > threshold)
    share = float(light.mean())
    if max(share, 1 - share) < CLEAR_MAJORITY:
        border = np.concatenate([light[0], light[-1], light[1:-1, 0], light[1:-1, -1]])
        share = float(border.mean())
    return light, BLACK_ON_WHITE if share >= 0.5 else WHITE_ON_BLACK


def has_two_tones(picture: Pixels, grey: Levels, light: Strokes) -> bool:
    """Whether the light part and the dark part each have one colour, and all else is mixed of the two.

    Antialiasing mixes them at borders; other levels are those of shadows, other colours those of other inks.
    """
    square = np.ones((5, 5), np.uint8)
    light_rim, dark_rim = (cv2.dilate(side.astype(np.uint8), square) > 0 for side in (light, ~light))
    most = min(FLAT, NEARER * float(np.median(grey[light]) - np.median(grey[~light])))
    inks = [np.median(picture[side], axis=0) for side in (light, ~light)]
    some = (slice(None, None, max(1, max(light.shape) // LONGEST)),) * 2
    light, inside = light[some], ~(light_rim & dark_rim)[some]
    levels, colours = (np.asarray(cv2.blur(whole, (3, 3))[some], np.uint8) for whole in (grey, picture))
    # Both with the other part's levels below.
    parts = (levels[light & inside], 255 - levels[~light & inside])
    large = [part for part in parts if part.size > SMALL_PART * levels.size]
    return bool(large) and all(_measure_range(part) <= most for part in large) and _are_mixed(colours, *inks)


def _measure_range(levels: Levels) -> float:
    """How far levels [N] are from their median, but for a few lower ones."""
    low, middle, high = np.percentile(levels, (MIXED, 50, 100 - STRAY))
    return float(max(high - middle, middle - low))


def _are_mixed(colours: Pixels, first: Colour, second: Colour) -> bool:
    """Whether colours [H, W, 3] lie on the line between two, [3] each, but for a few."""
    away, line = colours.reshape(-1, 3) - first, second - first
    off = away - np.outer(away @ line / max(float(line @ line), 1e-9), line)
    return bool(np.percentile(np.abs(off).max(axis=1), 100 - STRAY) <= FLAT)


def find_polarity(grey: Levels) -> str:
    """Whether a grey drawing's lines are darker or lighter than the ground around them."""
    apart = grey.astype(np.float32) - estimate_ground(grey, WIDE_WINDOW)
    return BLACK_ON_WHITE if float((apart**3).sum()) <= 0 else WHITE_ON_BLACK


def estimate_ground(levels: Levels, share: float = WINDOW) -> Contrast:
    """The median around every pixel of [H, W]: lines vanish from it, and the edges of a shadow stay sharp."""
    height, width = levels.shape
    scale = min(1.0, LONGEST / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(levels, size, interpolation=cv2.INTER_AREA)
    window = min(LARGEST_WINDOW, max(3, round(share * min(size)) | 1))
    ground = cv2.resize(cv2.medianBlur(small, window), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(ground, np.float32)


def measure_contrast(picture: Pixels) -> tuple[Contrast, float]:
    """How much darker than the ground each pixel of [H, W, 3] is, as a share of it, and the ground's noise.

    Of several colours the one with the most contrast counts.
    """
    grey = bool((picture == picture[..., :1]).all())
    contrast, noise = np.full(picture.shape[:2], -np.inf, np.float32), 0.0
    for levels in np.moveaxis(picture[..., :1] if grey else picture, -1, 0):
        ground = estimate_ground(np.ascontiguousarray(levels))
        lit = np.maximum(ground, max(DEEPEST * float(np.percentile(ground, 95)), 1.0))
        darker = np.asarray(1 - levels / lit, np.float32)
        noise = max(noise, estimate_noise(darker))
        contrast = np.maximum(contrast, darker)
    return contrast, noise


def estimate_noise(darker: Contrast) -> float:
    """Standard deviation of the ground's contrast, from the median of all magnitudes or of the lighter ones.

    Much ink makes the first too large, and gaps between thick strokes the second.
    """
    lighter = -darker[darker < 0]
    medians = [float(np.median(part)) for part in (np.abs(darker), lighter) if part.size]
    return min(medians) / NORMAL_MEDIAN


def find_threshold(contrast: Contrast, noise: float) -> float:
    """The contrast at which lines end: between the ground and the ink, and above the ground's noise."""
    least = max(NOISES * noise, FAINTEST)
    ink = contrast[contrast > least]
    return max(least, EDGE * float(np.percentile(ink, 90))) if ink.size else least


def drop_specks(strokes: Strokes) -> Strokes:
    """Strokes bool [H, W] without connected parts so small that they are noise."""
    _, parts, sizes, _ = cv2.connectedComponentsWithStats(strokes.astype(np.uint8))
    large = sizes[:, cv2.CC_STAT_AREA] >= (SPECK * min(strokes.shape)) ** 2
    return np.asarray(strokes & large[parts])
