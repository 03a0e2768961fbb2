"""Features of sets of pictures, by one network or several at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from lepbench.errors import LepbenchError
from lepbench.files import sha256_bytes, walk_visible
from lepbench.images import OTHER_SUFFIXES, SUFFIXES, Pixels, open_rgb, to_tensor
from lepbench.judges.base import Embed
from lepbench.judges.provenance import Digests
from lepbench.progress import Progress

BATCH = 32
LEAST = 4
"""Pictures in a set."""
Features = NDArray[np.float32]


@dataclass(frozen=True)
class Pictures:
    """A set of pictures in order.

    Attributes:
        name: what reports call it.
        count: how many there are.
        read: the pixels of one, by its number; raises LepbenchError where they cannot be read.
    """

    name: str
    count: int
    read: Callable[[int], Pixels]

    @classmethod
    def of_files(cls, name: str, files: Sequence[Path]) -> Pictures:
        """The pictures of some files."""
        return cls(name, len(files), lambda number: np.asarray(open_rgb(files[number])))


class EmbeddedSet(NamedTuple):
    """Pictures as networks see them.

    Attributes:
        features: by the label of each network, float32 [N, D].
        digests: SHA-256 of the pixels of each picture, [N, 32].
    """

    features: dict[str, Features]
    digests: Digests


class PictureSet(NamedTuple):
    """Pictures as one network sees them: features float32 [N, D], and the hash of each picture's pixels.

    Of features whose file does not say which pictures they are of there are no hashes.
    """

    features: Features
    digests: list[str]

    @property
    def repeated(self) -> int:
        """How many pictures have the pixels of an earlier one."""
        return len(self.digests) - len(set(self.digests))


def embed_pictures(
    pictures: Pictures, embeds: Mapping[str, Embed], numbers: range, progress: Progress
) -> EmbeddedSet:
    """The features of some pictures of a set, read once for all networks.

    Args:
        embeds: the networks by label.
        numbers: which pictures, one after another.
        progress: called with (name of the set, pictures that are done, number of the set's pictures).

    Raises:
        LepbenchError: a picture cannot be read: a set with pictures left out would be another set.
    """
    rows: dict[str, list[Features]] = {label: [] for label in embeds}
    digests: list[bytes] = []
    progress(pictures.name, numbers.start, pictures.count)
    for start in range(numbers.start, numbers.stop, BATCH):
        pixels = [pictures.read(number) for number in range(start, min(start + BATCH, numbers.stop))]
        digests += [bytes.fromhex(hash_pixels(one)) for one in pixels]
        for batch in stack_alike(pixels):
            for label, embed in embeds.items():
                with torch.inference_mode():
                    rows[label].append(embed(to_tensor(batch)).float().cpu().numpy())
        progress(pictures.name, start + len(pixels), pictures.count)
    hashes = np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32)
    return EmbeddedSet({label: np.concatenate(parts) for label, parts in rows.items()}, hashes)


def take_label(found: EmbeddedSet, label: str) -> PictureSet:
    """A set as one of its networks sees it."""
    return PictureSet(found.features[label], [row.tobytes().hex() for row in found.digests])


def hash_pixels(pixels: Pixels) -> str:
    """A hash that two pictures share if they have the same size and pixels, however they are encoded."""
    return sha256_bytes(repr(pixels.shape).encode() + pixels.tobytes())


def find_pictures(folder: Path) -> list[Path]:
    """Every picture file below a folder, sorted.

    Raises:
        LepbenchError: there is no such folder, too little in it, or a picture of a kind that is not read.
    """
    if not folder.is_dir():
        raise LepbenchError(f"no such folder: {folder}", "check the path")
    found = sorted(map(folder.joinpath, walk_visible(folder)))
    if other := next((path for path in found if path.suffix.lower() in OTHER_SUFFIXES), None):
        raise LepbenchError(
            f"{other} is a picture of a kind that is not read", "convert it to PNG, or move it elsewhere"
        )
    files = [path for path in found if path.suffix.lower() in SUFFIXES and path.is_file()]
    if len(files) < LEAST:
        raise LepbenchError(f"{folder} holds {len(files)} pictures", f"a set needs at least {LEAST}")
    return files


def stack_alike(pixels: Sequence[Pixels]) -> Iterator[Pixels]:
    """Pictures [H, W, 3] in order, each run of one size stacked: [B, H, W, 3]."""
    for _, alike in groupby(pixels, key=np.shape):
        yield np.stack(list(alike))
