"""Distances between the distributions of two folders of images."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from lepbench.errors import LepbenchError
from lepbench.files import sha256_bytes, walk_visible
from lepbench.images import OTHER_SUFFIXES, SUFFIXES, Pixels, open_rgb, read_size, to_tensor
from lepbench.metrics.cmmd import cmmd
from lepbench.metrics.frechet import FeatureStatistics, frechet_distance
from lepbench.metrics.kid import kid_draws, reference
from lepbench.metrics.statistics import Interval
from lepbench.progress import Progress
from lepbench.scoring.extractors import Extractor
from lepbench.seeds import derive_seed

BATCH = 32
WORLD = 64
"""Side in px of the pictures of sketchworld that the judge learnt."""
Features = NDArray[np.float32]


class PictureSet(NamedTuple):
    """A folder as an extractor sees it: features float32 [N, D], and the hash of each picture's pixels."""

    features: Features
    digests: list[str]

    @property
    def repeated(self) -> int:
        """How many pictures have the pixels of an earlier one."""
        return len(self.digests) - len(set(self.digests))


@dataclass(frozen=True)
class ImageScores:
    """How far apart two sets are, by one extractor's features.

    Attributes:
        frechet_distance: between Gaussians fitted to both.
        frechet_bias: estimate of the part of it that is due to the number of generated pictures alone.
        kid: unbiased squared MMD with its 95 % interval.
        cmmd: for CLIP extractors; None for others.
        repeated_generated: generated pictures whose pixels are those of another.
        repeated_reference: likewise of the reference.
        shared: generated pictures that are in the reference too.
    """

    frechet_distance: float
    frechet_bias: float
    kid: Interval
    cmmd: float | None
    n_generated: int
    n_reference: int
    repeated_generated: int
    repeated_reference: int
    shared: int
    extractor: str


def score_images(
    generated: Path, reference_folder: Path, extractor: Extractor, progress: Progress
) -> ImageScores:
    """Compare every picture of one folder with every picture of another.

    Args:
        progress: called with (stage, done, total).

    Raises:
        LepbenchError: a folder is missing or has fewer than 4 pictures, or a picture cannot be read: a set
            with pictures left out would be another set.
    """
    x = extract_folder_features(generated, extractor, progress)
    y = extract_folder_features(reference_folder, extractor, progress)
    gaussian, moments = (_statistics(found.features, extractor) for found in (x, y))
    distance = frechet_distance(gaussian, moments)
    return ImageScores(
        frechet_distance=distance,
        frechet_bias=half_size_distance(x.features, moments) - distance,
        kid=_measure_kid(x.features, y.features, progress),
        cmmd=cmmd(x.features, y.features) if extractor.unit else None,
        n_generated=len(x.features),
        n_reference=len(y.features),
        repeated_generated=x.repeated,
        repeated_reference=y.repeated,
        shared=len(set(x.digests) & set(y.digests)),
        extractor=extractor.name,
    )


def _measure_kid(x: Features, y: Features, progress: Progress) -> Interval:
    """KID with its interval; progress counts the features that were compared with a whole set."""
    total, done = len(x) + 2 * len(y), 0

    def report(count: int) -> None:
        nonlocal done
        done += count
        progress("kid", done, total)

    progress("kid", 0, total)
    return kid_draws(x, reference(y, report), seed=0, report=report).interval()


def _statistics(features: Features, extractor: Extractor) -> FeatureStatistics:
    try:
        return FeatureStatistics.of(features)
    except ValueError as error:
        raise LepbenchError(f"{extractor.name}: {error}", "check the extractor's file") from error


def half_size_distance(features: Features, moments: FeatureStatistics, splits: int = 2) -> float:
    """Mean Frechet distance of random halves of a set.

    The bias falls as 1/N, so halving the set adds about as much to the distance as the whole set, against
    an infinite set.
    """
    distances = []
    for split in range(splits):
        order = np.random.default_rng(derive_seed("frechet halves", split)).permutation(len(features))
        middle = len(features) // 2
        for half in (order[:middle], order[middle:]):
            distances.append(frechet_distance(FeatureStatistics.of(features[np.sort(half)]), moments))
    return float(np.mean(distances))


def extract_folder_features(folder: Path, extractor: Extractor, progress: Progress) -> PictureSet:
    """The pictures below a folder, in the order of their paths.

    Raises:
        LepbenchError: see `score_images`.
    """
    files = find_pictures(folder)
    progress(str(folder), 0, len(files))
    rows: list[Features] = []
    digests: list[str] = []
    for start in range(0, len(files), BATCH):
        pixels = [np.asarray(open_rgb(path)) for path in files[start : start + BATCH]]
        digests += [hash_pixels(one) for one in pixels]
        for _, alike in groupby(pixels, key=np.shape):
            with torch.inference_mode():
                rows.append(extractor.features(to_tensor(np.stack(list(alike)))).float().cpu().numpy())
        progress(str(folder), start + len(pixels), len(files))
    return PictureSet(np.concatenate(rows), digests)


def hash_pixels(pixels: Pixels) -> str:
    """A hash that two pictures share if they have the same size and pixels, however they are encoded."""
    return sha256_bytes(repr(pixels.shape).encode() + pixels.tobytes())


def require_sketchworld(folder: Path) -> None:
    """Refuse the judge of sketchworld for pictures that cannot be of it.

    Raises:
        LepbenchError: a picture has another size than sketchworld's, or see `score_images`.
    """
    for path in find_pictures(folder):
        size = read_size(path)
        if size != (WORLD, WORLD):
            raise LepbenchError(
                f"{path} is {size[0]}x{size[1]} px, and only pictures of sketchworld ({WORLD}x{WORLD} px) "
                "have a default extractor",
                "choose one with --extractor, such as clip:FOLDER_OR_ID or dinov2:FOLDER_OR_ID",
            )


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
    if len(files) < 4:
        raise LepbenchError(f"{folder} holds {len(files)} pictures", "a set needs at least 4")
    return files
