"""Edge counts at 0, 1 and 2 px of many pictures: ours against a plain loop over the reference functions.

    python benchmarks/edges.py --images 256 --size 512

Both are timed in turn in one process, three rounds, the best of each; counts must agree to the pixel. The
plain loop takes kornia's Canny and SciPy's exact distance transform, a picture at a time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from kornia.filters import canny
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter
from torch import Tensor

from lepbench.detectors import Canny
from lepbench.metrics.edges import edge_counts

TOLERANCES = (0.0, 1.0, 2.0)
LOW, HIGH = 0.1, 0.2
BATCH = 32


def pictures(count: int, size: int) -> Tensor:
    """Smooth noise with edges at many scales and a little grain, [N, 3, size, size] in [0, 1]."""
    random = np.random.default_rng(0)
    made = np.empty((count, 3, size, size), dtype=np.float32)
    for picture in made:
        blobs = sum(gaussian_filter(random.normal(size=(size, size)), s) * s for s in (4, 9, 20))
        grain = 0.02 * random.normal(size=(3, size, size))
        picture[:] = np.clip(0.5 + 0.3 * np.sign(blobs) * np.abs(blobs) ** 0.3 + grain, 0, 1)
    return torch.from_numpy(made)


def plain_edges(images: Tensor) -> Tensor:
    """kornia's map of each picture by itself."""
    return torch.stack([canny(image[None], LOW, HIGH)[1][0, 0] > 0 for image in images])


def plain_counts(predicted: Tensor, target: Tensor) -> NDArray[np.int64]:
    """Matched pixels of both sides, [N, 2, T]."""
    rows = []
    for one, other in zip(predicted.numpy(), target.numpy(), strict=True):
        sides = [(one, distance_transform_edt(~other)), (other, distance_transform_edt(~one))]
        rows.append([[np.count_nonzero(m & (d <= t)) for t in TOLERANCES] for m, d in sides])
    return np.array(rows)


def our_edges(images: Tensor) -> Tensor:
    """The fast path's map, in batches."""
    detector = Canny(low=LOW, high=HIGH)
    return torch.cat([detector(part) for part in images.split(BATCH)])


def our_counts(predicted: Tensor, target: Tensor) -> NDArray[np.int64]:
    """The same counts by `edge_counts`, in batches."""
    parts = zip(predicted.split(BATCH), target.split(BATCH), strict=True)
    counts = [edge_counts(one, other, TOLERANCES) for one, other in parts]
    sides = ([c.matched_predicted for c in counts], [c.matched_target for c in counts])
    return np.stack([np.concatenate(side) for side in sides], axis=1)


def timed(work: Callable[[], object]) -> float:
    """Seconds on the clock."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    images = pictures(chosen.images, chosen.size)
    target = our_edges(images.roll((1, 1), dims=(2, 3)))
    assert torch.equal(our_edges(images[:4]), plain_edges(images[:4])), "maps differ"
    predicted = our_edges(images)
    assert np.array_equal(our_counts(predicted, target), plain_counts(predicted, target)), "counts differ"
    contests: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "counts": (lambda: plain_counts(predicted, target), lambda: our_counts(predicted, target)),
        "detection and counts": (
            lambda: plain_counts(plain_edges(images), target),
            lambda: our_counts(our_edges(images), target),
        ),
    }
    print(f"{chosen.images} pictures of {chosen.size} px, {torch.get_num_threads()} threads, ms a picture")
    for name, (plain, ours) in contests.items():
        rounds = [(timed(plain), timed(ours)) for _ in range(chosen.rounds)]
        slow, fast = (1000 * min(times) / chosen.images for times in zip(*rounds, strict=True))
        print(f"{name:<22} plain {slow:8.1f}   ours {fast:6.2f}   ratio {slow / fast:6.1f}")


if __name__ == "__main__":
    main()
