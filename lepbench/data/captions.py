"""Captions as they come, and their cleaning."""

from __future__ import annotations

import codecs
import unicodedata
from contextlib import suppress
from itertools import pairwise
from typing import NamedTuple

from lepbench.data.corpus import Reason, Rejected

# Bytes that are not UTF-8 survive decoding as lone surrogates, so that one bad row does not spoil the file.
LENIENT = "surrogateescape"

UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

LONGEST_LICENCE = 1000
"""Characters of a licence that are kept."""


class Caption(NamedTuple):
    """A cleaned caption, and the applied changes, of `CHANGES`."""

    text: str
    changes: tuple[str, ...] = ()


CHANGES = ("control characters removed", "white space", "composed", "cut")
"""Changes by cleaning: remove control characters (Unicode Cc), collapse white space, normalise
characters (NFC), and truncate at a word beyond the length of any text encoder."""


def decode_caption(content: bytes) -> str:
    """The text of a file in UTF-8, or in UTF-16 with its mark, which programs on Windows write.

    Bytes that are neither stay as lone surrogates.
    """
    if content.startswith(UTF16):
        with suppress(UnicodeDecodeError):
            return content.decode("utf-16")
    return content.decode("utf-8-sig", LENIENT)


def clean_caption(caption: str, most: int) -> Caption:
    """A caption on one line, of at most `most` characters.

    Raises:
        Rejected: nothing is left, or it was not UTF-8.
    """
    try:
        caption.encode()
    except UnicodeEncodeError as error:
        raise Rejected(Reason.NOT_UTF8) from error
    visible = "".join(c for c in caption if c.isspace() or unicodedata.category(c) != "Cc")
    line = " ".join(visible.split())
    composed = unicodedata.normalize("NFC", line)
    kept = composed if len(composed) <= most else _cut(composed, most)
    if not kept:
        raise Rejected(Reason.EMPTY_CAPTION)
    # White space at the ends is how text files end.
    steps = (caption.strip(), visible.strip(), line, composed, kept)
    return Caption(
        kept, tuple(name for name, pair in zip(CHANGES, pairwise(steps), strict=True) if len(set(pair)) > 1)
    )


def clean_licence(given: object) -> str | None:
    """An image's licence as stated by its corpus, cleaned like a caption; None if it states none.

    An image is never rejected for its licence: bytes that are not UTF-8 are escaped.
    """
    if given is None:
        return None
    try:
        return clean_caption(str(given).encode(errors="backslashreplace").decode(), LONGEST_LICENCE).text
    except Rejected:
        return None


def _cut(line: str, most: int) -> str:
    """The whole words of the first `most` characters, or those characters where they are one word."""
    head, space, _ = line[: most + 1].rpartition(" ")
    return head if space else line[:most]


def first_text(value: object) -> str | None:
    """A caption as a corpus has it: a string, or the first of a list of strings; None for anything else."""
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, str) else None
