"""Whether an encoded picture is of a lossy kind, by the markers in it and not by the name of its file."""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image

from lepbench.data.jpeg import FRAMES, segments

LOSSLESS_FRAMES = frozenset((0xC3, 0xC7, 0xCB, 0xCF))
"""JPEG frames that are predicted, not transformed."""
LOSSY_IN_TIFF = frozenset(("jpeg", "tiff_jpeg", "webp"))
CODESTREAM, CODING, TILE = b"\xff\x4f\xff\x51", 0xFF52, 0xFF90
"""Markers of JPEG 2000: of the codestream with its size, of the coding style, and of the first tile."""
REVERSIBLE = 1
"""Value of the last byte of the fixed part of a coding style: wavelets of whole numbers."""
CODING_LENGTH = 10
FRAME_HEADER = 16
"""Bytes of a frame of an animated WebP before its own chunks."""


def is_lossy(image: Image.Image, content: bytes) -> bool:
    """Whether encoding an image lost details; for AVIF, whose marker is deep in the stream, always."""
    kind = image.format
    if kind in ("JPEG", "MPO"):
        frame = next((part.marker for part in segments(content) if part.marker in FRAMES), None)
        return frame not in LOSSLESS_FRAMES
    if kind == "WEBP":
        return next(find_webp_kinds(content), b"VP8 ") != b"VP8L"
    if kind == "JPEG2000":
        return not has_reversible_wavelets(content)
    if kind == "TIFF":
        return image.info.get("compression") in LOSSY_IN_TIFF
    return kind == "AVIF"


def find_webp_kinds(content: bytes, start: int = 12) -> Iterator[bytes]:
    """The chunks of a WebP that hold pixels, in order: `VP8L` is lossless, `VP8 ` lossy."""
    at = start
    while at + 8 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        if name in (b"VP8 ", b"VP8L"):
            yield name
        if name == b"ANMF":
            yield from find_webp_kinds(content[at + 8 + FRAME_HEADER : at + 8 + size], 0)
        at += 8 + size + size % 2


def has_reversible_wavelets(content: bytes) -> bool:
    """Whether the first coding style of a JPEG 2000 is the reversible one, which losslessness needs."""
    at = content.find(CODESTREAM) + 2
    while 2 <= at < len(content) - 4:
        marker, length = (int.from_bytes(content[at + n : at + n + 2], "big") for n in (0, 2))
        if marker == CODING:
            return content[at + 4 + CODING_LENGTH - 1 : at + 4 + CODING_LENGTH] == bytes((REVERSIBLE,))
        if marker == TILE or not length:
            break
        at += 2 + length
    return False
