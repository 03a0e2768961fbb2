"""The real pictures of a corpus: a folder of pictures, a built data set or a suite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from lepbench.data.manifest import MANIFEST, load_manifest
from lepbench.data.read import Triplets
from lepbench.errors import LepbenchError
from lepbench.files import sha256_bytes, sha256_file
from lepbench.images import Pixels, square
from lepbench.progress import Progress, ignore_progress
from lepbench.scoring.feature_job import CorpusPictures
from lepbench.scoring.features import Pictures, find_pictures
from lepbench.suites import list_suites, load_suite
from lepbench.suites.definition import DEFINITION


@dataclass(frozen=True)
class IndexedPictures:
    """Pictures as they are stored: their number, one by its number, and a hash of the bytes behind some."""

    count: int
    read: Callable[[int], Pixels]
    hash: Callable[[int], str]


def open_pictures(
    corpus: str | Path, *, size: int | None, limit: int | None, progress: Progress
) -> CorpusPictures:
    """The real pictures of a corpus, in its order.

    Args:
        corpus: a folder of pictures, a data set of `build-data`, or a suite by name or folder.
        size: side of the centre square that they are resized to, px; None leaves them as they are.
        limit: how many from the front; None for all.

    Raises:
        LepbenchError: there is no such corpus, it has no or too few pictures, or a file cannot be read.
    """
    source = _open_source(corpus, progress)
    count = source.count if limit is None else limit
    if count > source.count:
        raise LepbenchError(f"{corpus} holds {source.count} pictures, not {count}", "give a smaller --limit")
    reopen = partial(reopen_pictures, corpus, size=size, count=count)
    return CorpusPictures(_take(source, corpus, size, count), source.hash(count), size, reopen)


def reopen_pictures(corpus: str | Path, size: int | None, count: int) -> Pictures:
    """The pictures of a corpus that was opened before, in another process; its bytes are not hashed again."""
    return _take(_open_source(corpus, ignore_progress), corpus, size, count)


def _take(source: IndexedPictures, corpus: str | Path, size: int | None, count: int) -> Pictures:
    folder = Path(corpus)
    name = folder.resolve().name if folder.is_dir() else str(corpus)
    return Pictures(name, count, lambda number: _resize(source.read(number), size))


def _open_source(corpus: str | Path, progress: Progress) -> IndexedPictures:
    """The pictures as they are stored.

    Raises:
        LepbenchError: see `open_pictures`.
    """
    folder = Path(corpus)
    if (folder / DEFINITION).is_file() or (not folder.is_dir() and str(corpus) in list_suites()):
        return _open_suite(corpus)
    if (folder / MANIFEST).is_file():
        return _open_triplets(folder)
    if folder.is_dir():
        return _open_folder(folder, progress)
    raise LepbenchError(
        f"no corpus {str(corpus)!r}",
        "give a folder of pictures, a data set of build-data, or a suite's name or folder",
    )


def _open_folder(folder: Path, progress: Progress) -> IndexedPictures:
    files = find_pictures(folder)

    def digest(count: int) -> str:
        hashes = []
        for number, path in enumerate(files[:count], start=1):
            hashes.append(sha256_file(path))
            progress("files", number, count)
        return sha256_bytes("".join(hashes).encode())

    return IndexedPictures(len(files), Pictures.of_files(str(folder), files).read, digest)


def _open_triplets(folder: Path) -> IndexedPictures:
    manifest = load_manifest(folder)
    triplets = Triplets(folder, manifest)

    def identify(count: int) -> str:
        for shard in manifest.shards:
            if sha256_file(folder / shard.file) != shard.sha256:
                raise LepbenchError(
                    f"{folder / shard.file} is not the shard its manifest names",
                    "'lepbench data verify' says which files differ",
                )
        return triplets.identity

    return IndexedPictures(len(triplets), lambda number: triplets[number].image, identify)


def _open_suite(name: str | Path) -> IndexedPictures:
    suite = load_suite(name)
    if "picture" not in suite.definition.truths:
        raise LepbenchError(f"suite {suite.name!r} has no real pictures", "give a corpus that has some")

    def read(number: int) -> Pixels:
        item = suite[number]
        if item.image is None:
            raise LepbenchError(
                f"item {item.item_id!r} of suite {suite.name!r} has no real picture", "give another corpus"
            )
        return item.image

    return IndexedPictures(len(suite), read, lambda _: suite.definition.items_sha256)


def _resize(pixels: Pixels, size: int | None) -> Pixels:
    if size is None or pixels.shape[:2] == (size, size):
        return pixels
    return np.asarray(square(Image.fromarray(pixels), size))
