"""Perceptual hashes: those of similar images differ in few of their 64 bits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from lepbench.data.picture import crop_centre
from lepbench.images import Pixels

Hashes = NDArray[np.uint64]

BITS = 64
SIDE = 32
"""Side of the grey picture that is hashed."""
LARGE = 8 * SIDE
"""Side from which halving an image first is faster."""
CORNER = 8
"""Side of its lowest frequencies, a bit each."""
MIDDLE = BITS // 2 - 1
"""Index of the lower median."""


def perceptual_hash(pixels: Pixels) -> int:
    """The 64-bit hash of a picture, uint8 [H, W, 3]: which of its lowest frequencies are above their median.

    Only of its centre square, which sets hold at any size, so that cropped and whole images compare.

    Source: the "pHash" of Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010,
    in the common variant over a 32 x 32 picture, the constant term included.
    """
    grey = cv2.cvtColor(halved(crop_centre(pixels)), cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:CORNER, :CORNER].ravel()
    bits = np.packbits(low > np.partition(low, MIDDLE)[MIDDLE])
    return int.from_bytes(bits.tobytes(), "big")


def halved(square: Pixels) -> Pixels:
    """A large square picture at half its size; a small one, or one of an odd side, as it is.

    OpenCV averages exact halves quickly, and what follows has a quarter of the pixels then. Without its last
    row and column an odd one would be halved too, and look like itself less surely.
    """
    side = len(square)
    if side % 2 or side < LARGE:
        return np.ascontiguousarray(square)
    return np.asarray(cv2.resize(square, (side // 2, side // 2), interpolation=cv2.INTER_AREA), np.uint8)


def short(digests: Iterable[str]) -> Hashes:
    """The first 64 bits of hexadecimal digests: enough to tell a hundred million apart."""
    return np.fromiter((int(digest[:16], 16) for digest in digests), np.uint64)


def distances(one: Hashes, other: Hashes) -> NDArray[np.uint8]:
    """Bits in which hashes differ."""
    differing: NDArray[np.uint8] = np.bitwise_count(one ^ other)
    return differing


def near_pairs(one: Hashes, other: Hashes, most: int) -> Iterator[tuple[int, int]]:
    """Places (i, j) with `one[i]` and `other[j]` at most `most` bits apart; a pair may come more than once.

    Of `most + 1` bands of bits at least one must agree, so only hashes with an equal band are compared.
    """
    edges = np.linspace(0, BITS, most + 2).astype(int)
    for low, high in pairwise(edges):
        mask = np.uint64(((1 << int(high - low)) - 1) << int(low))
        order = np.argsort(other & mask, kind="stable")
        bands = (other & mask)[order]
        starts = np.searchsorted(bands, one & mask, side="left")
        ends = np.searchsorted(bands, one & mask, side="right")
        for i in np.flatnonzero(ends > starts):
            candidates = order[starts[i] : ends[i]]
            for j in candidates[distances(other[candidates], one[i]) <= most]:
                yield int(i), int(j)


def first_of_kind(hashes: Hashes, most: int) -> NDArray[np.int64]:
    """For each hash the index of the earlier hash that represents it, or its own index.

    In order: a hash represents itself unless an earlier representative is at most `most` bits away.
    Removing represented hashes does not change the result for the rest.
    """
    kinds, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    near: dict[int, list[int]] = {}
    for i, j in near_pairs(kinds, kinds, most):
        near.setdefault(i, []).append(j)
    stands = np.full(len(kinds), -1)
    for kind in np.argsort(first):
        keepers = [j for j in near.get(int(kind), []) if stands[j] == j]
        stands[kind] = min(keepers, key=lambda j: first[j], default=kind)
    result: NDArray[np.int64] = first[stands[inverse]]
    return result
