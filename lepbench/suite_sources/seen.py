"""Pictures that a suite must not hold: those of other sets, and those that it holds already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lepbench.data.corpus import Reason
from lepbench.data.excluded import Excluded
from lepbench.data.similar import Hashes, distances, perceptual_hash, short
from lepbench.files import sha256_bytes
from lepbench.images import Pixels
from lepbench.sketches import Unusable

NOTHING = np.zeros((0, 0, 3), np.uint8)
"""In place of pixels that are not needed any more."""


class Picture(NamedTuple):
    """A picture that may be taken.

    Attributes:
        id: of its row.
        text: its caption.
        original: first 64 bits of the SHA-256 of its original.
        look: perceptual hash of its original.
        pixels: as stored, uint8 [H, W, 3].
    """

    id: str
    text: str
    original: int
    look: int
    pixels: Pixels


class SeenPictures:
    """Other sets by the hashes of their pictures, and the pictures that were taken.

    A picture is one of another set if its original has the same bytes, if it has the same pixels, or if it
    looks alike: its perceptual hash, that of the original or of the stored picture, differs in few bits.

    Args:
        excluded: the other sets.
        distance: bits of 64 by which the perceptual hashes of like pictures may differ.
        near: a picture that looks like one that was taken is refused.
    """

    def __init__(self, excluded: Sequence[Excluded], distance: int, near: bool = True) -> None:
        self.excluded, self.distance, self.near = excluded, distance, near
        self._elsewhere = [frozenset(other.originals.tolist()) for other in excluded]
        self._taken: list[Picture] = []
        self._looks: list[int] = []

    def describe(self) -> list[str]:
        """The other sets by name and hash."""
        return [f"{other.name}@{other.identity}" for other in self.excluded]

    def admit(self, picture: Picture) -> None:
        """Take a picture that was not seen.

        Raises:
            Unusable: it is in another set, or it or one like it was taken. Several captions of one original
                are no duplicates.
        """
        self._compare_elsewhere(picture)
        for number in self._find_like(np.array(self._looks, np.uint64), [picture.look]):
            other = self._taken[number]
            if self.near and picture.original != other.original:
                raise Unusable(Reason.NEAR_DUPLICATE, other.id)
            if picture.original == other.original and picture.text == other.text:
                raise Unusable(Reason.DUPLICATE, other.id)
        self._taken.append(picture._replace(pixels=NOTHING))
        self._looks.append(picture.look)

    def _compare_elsewhere(self, picture: Picture) -> None:
        looks = [picture.look, perceptual_hash(picture.pixels)]
        same = {picture.original, int(short([sha256_bytes(picture.pixels.tobytes())])[0])}
        for other, originals in zip(self.excluded, self._elsewhere, strict=True):
            if same & originals:
                raise Unusable(Reason.LEAKED, f"the same as in {other.name}")
            if self._find_like(other.looks, looks):
                raise Unusable(Reason.LEAKED, f"looks like one in {other.name}")

    def _find_like(self, known: Hashes, looks: Sequence[int]) -> list[int]:
        """Where hashes are that differ from one of `looks` in few bits."""
        like = [distances(known, np.array(look, np.uint64)) <= self.distance for look in looks]
        return np.flatnonzero(np.logical_or.reduce(like)).tolist()
