"""The boundary benchmark on made maps: milliseconds a (image, threshold, annotator), and what thinning takes.

    python benchmarks/boundaries.py --images 2 --thresholds 99

Two kinds of map, 481 x 321 px, each against five annotators who draw the same regions a pixel or two apart:
"dense" grades nearly every pixel, as a gradient does; "contours" has closed lines of a few strengths, as a
segmentation does. One process, one thread of OpenCV.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from unittest.mock import patch

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from lepbench.metrics import boundary
from lepbench.metrics.boundary import boundary_counts, levels
from lepbench.metrics.thinning import thin

HEIGHT, WIDTH, ANNOTATORS = 321, 481, 5
Array = NDArray[np.float64]
Case = tuple[Array, NDArray[np.bool_]]


def borders(regions: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where the number of the region changes to the right or below, thinned."""
    right = np.diff(regions, axis=1, append=regions[:, -1:]) != 0
    below = np.diff(regions, axis=0, append=regions[-1:]) != 0
    return thin(right | below)


def field(random: np.random.Generator, scale: float) -> Array:
    """Smooth noise of deviation 1."""
    noise = gaussian_filter(random.standard_normal((HEIGHT, WIDTH)), scale)
    return noise / noise.std()


def annotate(random: np.random.Generator, hills: Array) -> NDArray[np.bool_]:
    """Each person's borders of the hills' steps, moved by up to two pixels: bool [5, H, W]."""
    steps = np.floor(0.7 * hills).astype(np.int64)
    moves = random.integers(-2, 3, (ANNOTATORS, 2))
    return np.stack([borders(np.roll(steps, move, axis=(0, 1))) for move in moves])


def dense(seed: int) -> Case:
    """A map of about 150,000 px above 0.01."""
    random = np.random.default_rng(seed)
    people = annotate(random, field(random, 40))
    slope = np.hypot(*np.gradient(field(random, 1)))
    return np.clip(slope / np.quantile(slope, 0.995), 0, 1) ** 1.2, people


def contours(seed: int) -> Case:
    """Lines around regions, coarse and fine, at ten strengths."""
    random = np.random.default_rng(seed)
    hills = field(random, 40)
    people = annotate(random, hills)
    finer = hills + 0.1 * field(random, 12)
    soft = np.zeros((HEIGHT, WIDTH))
    for number in range(10):
        lines = borders(np.floor((0.7 + 0.1 * number) * finer).astype(np.int64))
        soft[lines] = np.maximum(soft[lines], 1 - number / 10)
    return soft, people


def timed(kind: Callable[[int], Case], images: int, thresholds: int) -> tuple[Array, float, float]:
    """What the maps hold, and the processor's seconds for all of it and for thinning."""
    cases = [kind(seed) for seed in range(images)]
    spent = [0.0]

    def watched(strokes: NDArray[np.bool_]) -> NDArray[np.bool_]:
        started = time.process_time()
        lines = thin(strokes)
        spent[0] += time.process_time() - started
        return lines

    with patch.object(boundary, "thin", watched):
        started = time.process_time()
        for soft, people in cases:
            boundary_counts(soft, people, levels(thresholds))
        total = time.process_time() - started
    sizes = [[(soft > 0.01).sum(), people.sum() / ANNOTATORS] for soft, people in cases]
    return np.mean(sizes, axis=0), total, spent[0]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=2)
    parser.add_argument("--thresholds", type=int, default=99)
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    for kind in (dense, contours):
        (graded, drawn), total, thinning = timed(kind, chosen.images, chosen.thresholds)
        each = 1000 * total / (chosen.images * chosen.thresholds * ANNOTATORS)
        print(
            f"{kind.__name__:<9} {graded:8.0f} px above 0.01, {drawn:5.0f} px an annotator: {each:6.2f} ms, "
            f"{thinning / total:.0%} of it thinning"
        )


if __name__ == "__main__":
    main()
