"""Edges that the model predicted while it drew: kept beside the pictures for the report, and in no figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

from torch import Tensor

from lepbench.backbones.finite import NotFinite
from lepbench.evaluation.sample import Batch, Sample
from lepbench.images import encode_webp, to_pixels

Decode = Callable[[], Tensor]
"""Gives the edges of a batch, float [B, 3, H, W] in [0, 1], 1 on a line."""
Key = tuple[str, int]
QUALITY = 80


@dataclass
class PredictedEdges:
    """Edges of the samples that were drawn since they were last taken.

    They are decoded when they are taken: that is no part of the time of a picture.
    """

    _waiting: dict[Key, tuple[Decode, int]] = field(default_factory=dict)

    def add(self, samples: Sequence[Sample], decode: Decode | None) -> None:
        """Note the edges of samples that were drawn together; None where none were predicted."""
        if decode is None:
            return
        once = cache(decode)
        self._waiting |= {
            (sample.item_id, sample.index): (once, place) for place, sample in enumerate(samples)
        }

    def take(self, batch: Batch) -> list[bytes | None]:
        """The edges of a batch, dark on light, as WebP: of the first sample of each item, if it has any."""
        waiting, self._waiting = self._waiting, {}
        found = (waiting.get((sample.item_id, sample.index)) for sample in batch)
        return [
            None if one is None or sample.index else _encode(*one)
            for sample, one in zip(batch, found, strict=True)
        ]


def _encode(decode: Decode, place: int) -> bytes | None:
    try:
        lines = decode()[place : place + 1]
    except NotFinite:
        return None
    return encode_webp(to_pixels(1 - lines)[0], QUALITY)
