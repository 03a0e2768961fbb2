"""Members of an uncompressed tar, skipping damaged parts."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self

import numpy as np

from lepbench.data.corpus import Reason
from lepbench.errors import LepbenchError

BLOCK = tarfile.BLOCKSIZE
CHUNK = 128 * BLOCK
LONGEST_NAME = 2**20
"""Maximum bytes of an extension header, such as a long name."""
NAMING = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, b"X")
CHECKSUM = slice(148, 154)
OCTAL = np.frombuffer(b"01234567 \0", np.uint8)


class Damage(NamedTuple):
    """An unreadable part of an archive: its offset and the reason."""

    name: str
    reason: Reason


class Header(tarfile.TarInfo):
    """A member's header with a valid size; invalid ones make `tarfile` read without end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        if header.size < 0 or (header.type in NAMING and header.size > LONGEST_NAME):
            raise tarfile.HeaderError("impossible size")
        return header


def list_members(path: Path) -> Iterator[tarfile.TarInfo | Damage]:
    """Members of an archive except folders, in order; damaged parts are skipped.

    `tarfile` itself stops silently at the first damaged header, and at the first end mark, as in
    concatenated archives.

    Raises:
        LepbenchError: the file cannot be read, or no header is found in it.
    """
    try:
        with path.open("rb") as stream:
            yield from _members(stream, path.stat().st_size)
    except (OSError, tarfile.TarError) as error:
        raise LepbenchError(f"{path} is no uncompressed tar: {error}", "unpack .gz archives") from error


def _members(stream: BinaryIO, size: int) -> Iterator[tarfile.TarInfo | Damage]:
    if size < BLOCK:
        raise tarfile.ReadError("it is shorter than a header")
    # Opening it on the file itself would read the first header and refuse a damaged one.
    archive = tarfile.TarFile(fileobj=io.BytesIO(), mode="w", encoding="utf-8")
    archive.fileobj = stream
    at: int | None = 0
    while at is not None:
        # At the end there are blocks of zeros, the first of which is where the next header would be.
        if at + BLOCK > size:
            yield Damage("the end", Reason.CUT_OFF)
            return
        header = _header(archive, stream, at)
        if header is not None:
            at = archive.offset
            if not header.isdir():
                yield header
            continue
        behind, filled = _further(stream, at)
        if filled and at == 0 and behind is None:
            raise tarfile.ReadError("it has no header")
        if filled:
            yield Damage(f"byte {at}", Reason.DAMAGED)
        at = behind


def _header(archive: tarfile.TarFile, stream: BinaryIO, at: int) -> tarfile.TarInfo | None:
    """The member whose header is at a place; `archive.offset` is then the place of the next."""
    stream.seek(at)
    try:
        header = Header.fromtarfile(archive)
    except OSError:
        raise
    except Exception:  # damaged headers raise more than `tarfile`'s own errors
        return None
    # Extended headers may tell a size anew.
    return header if archive.offset > at else None


def _further(stream: BinaryIO, at: int) -> tuple[int | None, bool]:
    """Where the next header behind a place is, and whether anything from there on is not zero."""
    stream.seek(at)
    filled, first = False, 1
    while chunk := stream.read(CHUNK):
        blocks = np.frombuffer(chunk + bytes(-len(chunk) % BLOCK), np.uint8).reshape(-1, BLOCK)
        some = np.count_nonzero(blocks, axis=1) > 0
        filled = filled or bool(some.any())
        likely = some & np.isin(blocks[:, CHECKSUM], OCTAL).all(axis=1)
        for number in np.flatnonzero(likely[first:]) + first:
            if _is_header(blocks[number].tobytes()):
                return at + BLOCK * int(number), True
        at, first = at + len(chunk), 0
    return None, filled


def _is_header(block: bytes) -> bool:
    try:
        Header.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True
