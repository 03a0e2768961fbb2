"""One entry to one row: decode, crop, resize, and detect edges on the stored pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from lepbench.data.captions import clean_caption
from lepbench.data.config import BuildConfig
from lepbench.data.corpus import Corpus, Original, Reason, Rejected
from lepbench.data.picture import Decoded, decode_picture, encode_edges, store_picture
from lepbench.data.schema import UNKNOWN
from lepbench.data.similar import perceptual_hash
from lepbench.detectors import SoftDetector, apply_soft_detector
from lepbench.detectors.base import count_cached_pictures
from lepbench.files import sha256_bytes
from lepbench.images import Pixels, to_tensor
from lepbench.strokes import crop_strokes, rasterise

EdgeMap = NDArray[np.bool_] | NDArray[np.uint8]
"""[H, W], true on an edge, or 255 where it is strongest."""


class PreparedPicture(NamedTuple):
    """An image prepared for edge detection.

    Attributes:
        content: the stored, encoded bytes.
        pixels: decoded from `content`, uint8 [H, W, 3].
        width, height: of the original, in px.
        sha256, phash: of the original, the latter of its centre square.
        licence: its own, None for the corpus's.
        flags: changes to image and caption.
        sketch: the human sketch, bool [H, W], if requested.
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
    sketch: EdgeMap | None = None


def prepare_picture(name: str, original: Original, config: BuildConfig) -> PreparedPicture:
    """Make a picture upright RGB of the size asked for, and its caption one line.

    An image smaller than the size is enlarged and flagged; `width` and `height` are the original's.

    Raises:
        Rejected: it cannot become a triplet.
    """
    caption = clean_caption(original.caption, config.max_caption)
    if isinstance(original.picture, bytes):
        content: bytes | None = original.picture
        decoded = decode_picture(original.picture, config.max_pixels)
        sha256 = sha256_bytes(original.picture)
    else:
        content, pixels = None, original.picture
        decoded = Decoded(pixels, pixels.shape[1], pixels.shape[0], "")
        sha256 = sha256_bytes(pixels.tobytes())
    stored = store_picture(decoded, content, config.size, config.store)
    enlarged = config.size is not None and min(decoded.width, decoded.height) < config.size
    changes = (f"caption: {change}" for change in caption.changes)
    return PreparedPicture(
        id=name,
        content=stored.content,
        pixels=stored.pixels,
        text=caption.text,
        width=decoded.width,
        height=decoded.height,
        sha256=sha256,
        phash=perceptual_hash(decoded.pixels),
        licence=original.licence,
        flags=(*decoded.flags, *(["enlarged"] if enlarged else []), *changes),
        sketch=fit_sketch(original, decoded, config.size) if config.edges == "drawn" else None,
    )


def fit_sketch(original: Original, decoded: Decoded, size: int | None) -> NDArray[np.bool_]:
    """The human sketch of an image, cropped with it: one-pixel strokes on bool [size, size].

    Raises:
        Rejected: there is none, or it cannot be read.
    """
    if original.sketch is None or size is None:
        raise Rejected(Reason.NO_SKETCH)
    if isinstance(original.sketch, Rejected):
        raise Rejected(Reason.NO_SKETCH, str(original.sketch))
    width, height = decoded.width, decoded.height
    return rasterise(crop_strokes(original.sketch.lines(width, height), width, height, size), size)


def find_edges(pictures: Sequence[PreparedPicture], config: BuildConfig) -> Iterator[EdgeMap]:
    """The maps of pictures that may differ in size: drawn, or found by the detector on the stored pixels.

    A map does not depend on its batch, so the batch size is chosen for speed.
    """
    if config.edges == "drawn":
        yield from (picture.sketch for picture in pictures if picture.sketch is not None)
        return
    find = detect_edges if config.edges == "binary" else detect_strengths
    for (height, width, _), alike in groupby(pictures, lambda picture: picture.pixels.shape):
        while some := [picture.pixels for picture in islice(alike, count_cached_pictures(height, width))]:
            yield from find(stack_pictures(some), config)


def stack_pictures(pictures: Sequence[Pixels]) -> Pixels:
    """Pictures of one size as a batch, [B, H, W, 3]; of one alone, nothing is copied."""
    return pictures[0][None] if len(pictures) == 1 else np.stack(pictures)


def detect_edges(pixels: Pixels, config: BuildConfig) -> NDArray[np.bool_]:
    """Edge maps of uint8 [B, H, W, 3] by a detector: bool [B, H, W]."""
    return config.detector.of_pixels(pixels, config.device)


def detect_strengths(pixels: Pixels, config: BuildConfig) -> NDArray[np.uint8]:
    """Edge strengths of uint8 [B, H, W, 3] by a soft detector: uint8 [B, H, W]."""
    assert isinstance(config.detector, SoftDetector)
    soft = apply_soft_detector(config.detector, to_tensor(pixels).to(config.device))
    return soft.mul(255).round().to(torch.uint8).cpu().numpy()


def measure_edge_density(edges: EdgeMap, config: BuildConfig) -> float:
    """The share of pixels on an edge, of a soft map of those above the detector's threshold.

    Raises:
        Rejected: it is out of bounds.
    """
    sure = edges if edges.dtype == np.bool_ else edges > 255 * getattr(config.detector, "threshold", 0)
    density = float(np.count_nonzero(sure)) / edges.size
    if density < config.hygiene.min_edges:
        raise Rejected(Reason.FEW_EDGES, f"{density:.5f} of the pixels")
    if density > config.hygiene.max_edges:
        raise Rejected(Reason.MANY_EDGES, f"{density:.5f} of the pixels")
    return density


def make_row(
    picture: PreparedPicture, edges: EdgeMap, density: float, corpus: Corpus, detector: str
) -> dict[str, Any]:
    """A row in the columns of `make_arrow_schema`; `detector` is an identity."""
    return {
        "image": {"bytes": picture.content, "path": None},
        "conditioning_image": {"bytes": encode_edges(edges), "path": None},
        "text": picture.text,
        "id": picture.id,
        "source": corpus.label,
        "licence": picture.licence or corpus.licence or UNKNOWN,
        "width": picture.width,
        "height": picture.height,
        "detector": detector,
        "sha256": picture.sha256,
        "phash": f"{picture.phash:016x}",
        "edge_density": density,
        "flags": list(picture.flags),
    }
