"""One entry to one row: decode, fit, and take the edges of the very pixels that are stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lepbench.data.captions import clean
from lepbench.data.config import BuildConfig
from lepbench.data.corpus import Corpus, Entry, Reason, Rejected
from lepbench.data.hygiene import Hygiene
from lepbench.data.picture import Decoded, decode, encode_edges, store
from lepbench.data.similar import perceptual_hash
from lepbench.files import sha256_bytes
from lepbench.images import Pixels


class Picture(NamedTuple):
    """A picture ready for the detector.

    Attributes:
        content: as it is stored, encoded.
        pixels: what `content` stands for, uint8 [H, W, 3].
        width, height: of the original, in px.
        sha256, phash: of the original.
        licence: its own, None for the corpus's.
        flags: what was done to picture and caption.
    """

    id: str
    content: bytes
    pixels: Pixels
    text: str
    width: int
    height: int
    sha256: str
    phash: int
    licence: str | None
    flags: tuple[str, ...]


def prepare(entry: Entry, config: BuildConfig) -> Picture:
    """Load an entry, make it upright RGB of the size asked for, and its caption one line.

    A picture smaller than the size is enlarged; its own `width` and `height` tell, and a flag.

    Raises:
        Rejected: it cannot become a triplet.
    """
    original = entry.load()
    caption = clean(original.caption, config.max_caption)
    if isinstance(original.picture, bytes):
        content: bytes | None = original.picture
        decoded = decode(original.picture, config.max_pixels)
        sha256 = sha256_bytes(original.picture)
    else:
        content, pixels = None, original.picture
        decoded = Decoded(pixels, pixels.shape[1], pixels.shape[0], "")
        sha256 = sha256_bytes(pixels.tobytes())
    stored = store(decoded, content, config.size, config.store)
    enlarged = config.size is not None and min(decoded.width, decoded.height) < config.size
    changes = (f"caption: {change}" for change in caption.changes)
    return Picture(
        id=entry.id,
        content=stored.content,
        pixels=stored.pixels,
        text=caption.text,
        width=decoded.width,
        height=decoded.height,
        sha256=sha256,
        phash=perceptual_hash(decoded.pixels),
        licence=original.licence,
        flags=(*decoded.flags, *(["enlarged"] if enlarged else []), *changes),
    )


def edges_of(pictures: Sequence[Picture], config: BuildConfig) -> Iterator[NDArray[np.bool_]]:
    """The detector's maps, bool [H, W], of pictures that may differ in size; stored bytes and maps agree."""
    for _, alike in groupby(pictures, lambda picture: picture.pixels.shape):
        yield from config.detector.of_pixels(np.stack([p.pixels for p in alike]), config.device)


def edge_density(edges: NDArray[np.bool_], hygiene: Hygiene) -> float:
    """The share of pixels on an edge.

    Raises:
        Rejected: it is out of bounds.
    """
    density = float(np.count_nonzero(edges)) / edges.size
    if density < hygiene.min_edges:
        raise Rejected(Reason.FEW_EDGES, f"{density:.5f} of the pixels")
    if density > hygiene.max_edges:
        raise Rejected(Reason.MANY_EDGES, f"{density:.5f} of the pixels")
    return density


def row_of(
    picture: Picture, edges: NDArray[np.bool_], density: float, corpus: Corpus, detector: str
) -> dict[str, Any]:
    """A row in the columns of `arrow_schema`; `edges` is bool [H, W], and `detector` an identity."""
    return {
        "image": {"bytes": picture.content, "path": None},
        "conditioning_image": {"bytes": encode_edges(edges), "path": None},
        "text": picture.text,
        "id": picture.id,
        "source": corpus.label,
        "licence": picture.licence or corpus.licence,
        "width": picture.width,
        "height": picture.height,
        "detector": detector,
        "sha256": picture.sha256,
        "phash": f"{picture.phash:016x}",
        "edge_density": density,
        "flags": list(picture.flags),
    }
