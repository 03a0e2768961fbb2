"""Sets whose pictures are kept out of another: built folders, suites and folders of pictures."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from lepbench.data.corpus import Rejected
from lepbench.data.keys import read_keys
from lepbench.data.manifest import MANIFEST, load_manifest
from lepbench.data.picture import decode_picture
from lepbench.data.similar import Hashes, perceptual_hash, short
from lepbench.errors import LepbenchError
from lepbench.files import as_text, sha256_bytes, walk_visible
from lepbench.images import SUFFIXES, Pixels, encode_png
from lepbench.suites import Suite, load_suite
from lepbench.suites.definition import DEFINITION

MOST_PIXELS = 1_000_000_000
"""Of a picture in a folder."""


class PictureHashes(NamedTuple):
    """SHA-256 of a picture's pixels and of its file, and its perceptual hash."""

    pixels: str
    content: str
    looks: int


class Excluded(NamedTuple):
    """The pictures of another set, by both hashes, and its name."""

    name: str
    identity: str
    originals: Hashes
    looks: Hashes


def read_excluded(place: Path) -> Excluded:
    """The pictures of a folder made by `build-data`, of a suite, by its name or folder, or of any folder.

    Raises:
        LepbenchError: it is none of these, or unfinished, or a file of it cannot be read.
    """
    if (place / MANIFEST).is_file():
        return _built(place)
    if not (place / DEFINITION).is_file() and place.is_dir():
        return _pictures(place)
    try:
        suite = load_suite(str(place))
    except LepbenchError as error:
        raise LepbenchError(
            f"nothing to exclude in {place}", "give a built folder, a suite, or a folder of pictures"
        ) from error
    return _suite(suite)


def _suite(suite: Suite) -> Excluded:
    # All there are, and not the default number: any of them may be scored.
    every = suite.take(suite.definition.items)
    found = (_hash_picture(item.image, encode_png(item.image)) for item in every if item.image is not None)
    return _gather(suite.definition.name, suite.definition.items_sha256, found)


def _pictures(place: Path) -> Excluded:
    files = sorted(name for name in walk_visible(place) if PurePosixPath(name).suffix.lower() in SUFFIXES)
    if not files:
        raise LepbenchError(f"nothing to exclude in {place}: it holds no pictures", "check the path")
    hashes: list[PictureHashes] = []
    for name in files:
        try:
            content = (place / name).read_bytes()
            hashes.append(_hash_picture(decode_picture(content, MOST_PIXELS).pixels, content))
        except (OSError, Rejected) as error:
            # What cannot be read could not be distinguished from a picture of the set.
            raise LepbenchError(
                f"cannot compare with {place / name}: {error}", "repair it, or take it out of the folder"
            ) from error
    identity = sha256_bytes("\n".join(sorted(found.content for found in hashes)).encode())
    return _gather(as_text(place.resolve().name), identity, hashes)


def _hash_picture(pixels: Pixels, content: bytes) -> PictureHashes:
    return PictureHashes(sha256_bytes(pixels.tobytes()), sha256_bytes(content), perceptual_hash(pixels))


def _gather(name: str, identity: str, found: Iterable[PictureHashes]) -> Excluded:
    """A set of pictures: one that was rendered is known by its pixels, one of a file by its bytes."""
    hashes = list(found)
    originals = [digest for one in hashes for digest in (one.pixels, one.content)]
    looks = np.fromiter((one.looks for one in hashes), np.uint64)
    return Excluded(name, identity, short(originals), looks)


def _built(place: Path) -> Excluded:
    manifest = load_manifest(place)
    if manifest.sha256 is None:
        raise LepbenchError(f"{place} is unfinished", "finish that build first")
    for shard in manifest.shards:
        if not (place / shard.file).is_file():
            raise LepbenchError(f"cannot compare with {place}: it lacks {shard.file}", "build that set again")
    try:
        keys = read_keys(place / shard.file for shard in manifest.shards)
    except (OSError, pa.ArrowException, ValueError, LookupError) as error:
        why = " ".join(str(error).split())[:200]
        raise LepbenchError(f"cannot compare with {place}: {why}", "build that set again") from error
    return Excluded(place.resolve().name, manifest.sha256, keys.originals, keys.looks)
