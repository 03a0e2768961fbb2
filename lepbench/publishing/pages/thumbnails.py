"""Pictures of a run that stand in a page, as far as there is room."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lepbench.images import encode_webp, open_rgb
from lepbench.publishing.pages.html import make_data_address

SIDE = 144
"""Of a thumbnail, px, at most; smaller pictures stay as they are."""
QUALITY = 88
ROOM = 3_200_000
"""Bytes of addresses that a page has room for: with all else it stays under 5 MB."""


class Thumbnails:
    """Addresses of small pictures, until their room is used up; then those of the files beside the page."""

    def __init__(self, room: int = ROOM) -> None:
        self._left = room

    def show_file(self, path: Path, link: str) -> str:
        """The address of a picture's thumbnail.

        Args:
            path: of the picture.
            link: its address from the page.
        """
        if self._left <= 0:
            return link
        return self._keep(encode_thumbnail(open_rgb(path)), "image/webp") or link

    def show_sketch(self, strokes: NDArray[np.bool_]) -> str:
        """The address of a sketch, its strokes black on nothing; empty without room.

        Args:
            strokes: bool [H, W].
        """
        ink = Image.fromarray(np.where(strokes, 255, 0).astype(np.uint8))
        if max(ink.size) > SIDE:
            # Thin lines are kept by what they cover, not by every fourth pixel.
            ink.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
            ink = ink.point(lambda share: min(255, 2 * share))
        image = Image.merge("LA", (Image.new("L", ink.size), ink))
        return self._keep(_encode(image, "PNG", optimize=True), "image/png")

    def _keep(self, content: bytes, kind: str) -> str:
        """The address of bytes; empty where they have no room."""
        address = make_data_address(content, kind)
        self._left -= len(address)
        return address if self._left > 0 else ""


def encode_thumbnail(image: Image.Image) -> bytes:
    """A picture as WebP, reduced where it is larger than a thumbnail."""
    small = image.copy()
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return encode_webp(small, QUALITY)


def _encode(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()
