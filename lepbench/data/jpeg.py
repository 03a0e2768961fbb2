"""JPEG files: headers, truncation that decoders ignore, and suppression of libjpeg's messages."""

from __future__ import annotations

import ctypes
import io
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

START, END = b"\xff\xd8\xff", b"\xff\xd9"
SCAN = b"\xff\xda"
FRAMES = frozenset((*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)))
ORDINARY = frozenset((0xC0, 0xC1, 0xC2))
"""Frames that every decoder knows: baseline, extended and progressive, by Huffman codes."""
PROGRESSIVE = 2
"""What the last two bits of such frames' markers say."""
EXIF_OR_XMP, SEVERAL = 0xE1, (0xE2, b"MPF\0")
PROFILE, PROFILE_HEADER = (0xE2, b"ICC_PROFILE\0"), 14
"""Begin of a segment that holds a piece of a colour profile; its number and the count follow."""
COEFFICIENTS = 64
EMPTY = frozenset((127, 128))
"""Value of a channel without data, before and after an inversion."""
NOISE = bytes(place * 73 % 255 for place in range(255))
"""Filler data without a marker."""
MORE = NOISE + b"".join(bytes((0xFF, 0xD0 + number)) + NOISE[number + 1 :] for number in range(8))
"""Filler data with every restart marker."""


class JpegSegment(NamedTuple):
    """A marker segment; `start` and `end` are those of its content."""

    marker: int
    start: int
    end: int


def segments(content: bytes) -> Iterator[JpegSegment]:
    """The segments of a JPEG up to the header of its first scan, that included."""
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:  # any number of these may come before a marker
            at += 1
            continue
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        yield JpegSegment(marker, at + 4, end)
        if marker == SCAN[1]:
            return
        at = end


def ordinary_size(content: bytes) -> tuple[int, int] | None:
    """Width and height of an ordinary JPEG: three 8-bit channels, upright, a single image, complete.

    None for anything else, and in any doubtful case: EXIF may rotate an image.
    """
    if not (content.startswith(START) and is_closed(content)):
        return None
    size = None
    for marker, start, end in segments(content):
        if marker == EXIF_OR_XMP or (marker, content[start : start + 4]) == SEVERAL:
            return None
        if marker in FRAMES:
            frame = content[start:end]
            if marker not in ORDINARY or len(frame) < 6 or (frame[0], frame[5]) != (8, 3):
                return None
            size = int.from_bytes(frame[3:5], "big"), int.from_bytes(frame[1:3], "big")
        if marker == SCAN[1]:
            return size if size and all(size) else None
    return None


def read_profile(content: bytes) -> bytes:
    """The colour profile of a JPEG, its pieces as they stand; empty where there is none."""
    pieces = (part for part in segments(content) if part.marker == PROFILE[0])
    return b"".join(
        content[piece.start + PROFILE_HEADER : piece.end]
        for piece in pieces
        if content.startswith(PROFILE[1], piece.start)
    )


def is_closed(content: bytes) -> bool:
    """Whether a JPEG has its last marker."""
    return content.rstrip(b"\0").endswith(END)


def ends_early(content: bytes, last: Sequence[int]) -> bool:
    """Whether data are missing before the end of a JPEG that was decoded; decoders fill that with grey.

    Not detected: missing data in the last block, or in the last scan of a progressive JPEG, which
    has only the finest detail.

    Args:
        last: the channels of its lower right pixel, before it is turned.
    """
    if not has_all_scans(content):
        return True
    return EMPTY.issuperset(last) and not np.array_equal(_small(content), _small(_longer(content)))


def has_all_scans(content: bytes) -> bool:
    """Whether the scans contain every bit of every coefficient of every channel."""
    parts = list(segments(content))
    frame = next((part for part in parts if part.marker in FRAMES), None)
    if frame is None:
        return True
    refined = frame.marker & 3 == PROGRESSIVE
    channels = content[frame.start + 6 : frame.end : 3]
    missing = {(channel, place) for channel in channels for place in range(COEFFICIENTS if refined else 1)}
    at = parts[-1].start - 4
    while missing and (at := content.find(SCAN, at)) >= 0:
        missing -= set(_scanned(content, at + 4, refined))
        at += len(SCAN)
    return not missing


def _scanned(content: bytes, start: int, refined: bool) -> Iterator[tuple[int, int]]:
    """The channels and coefficients that a scan completes, by its header."""
    end = start + 1 + 2 * content[start]
    first, last, bits = content[end : end + 3]
    # Only progressive files use these fields; some complete baseline files have zeros there.
    places = range(first, last + 1) if refined else range(1)
    if not (refined and bits & 15):
        yield from ((channel, place) for channel in content[start + 1 : end : 2] for place in places)


def _longer(content: bytes) -> bytes:
    """The file with filler data before its end, which changes nothing if no data are missing."""
    scan = max((segment.end for segment in segments(content)), default=0)
    end = content.find(END, scan)
    return content[:end] + MORE + content[end:] if end >= 0 else content


def _small(content: bytes) -> NDArray[np.uint8]:
    """A JPEG decoded at 1/8 scale, one pixel per block; this reads all of its data."""
    with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
        image.draft(image.mode, (1, 1))
        return np.asarray(image)


@lru_cache(maxsize=1)
def _streams() -> tuple[ctypes.c_void_p, int | None, int] | None:
    """C's variable `stderr`, its value, and a stream to nowhere; None where it may not be set."""
    if platform.libc_ver()[0] != "glibc":
        return None
    library = ctypes.CDLL(None)
    library.fopen.restype = ctypes.c_void_p
    variable = ctypes.c_void_p.in_dll(library, "stderr")
    nowhere = library.fopen(b"/dev/null", b"w")
    return (variable, variable.value, nowhere) if nowhere else None


@contextmanager
def quiet() -> Iterator[None]:
    """Silence OpenCV's libjpeg, which prints warnings without an option to disable them.

    Only C's `stderr` stream is redirected, not its file descriptor, which other threads use for progress.
    """
    streams = _streams()
    if streams is None:
        yield
        return
    variable, loud, nowhere = streams
    variable.value = nowhere
    try:
        yield
    finally:
        variable.value = loud
