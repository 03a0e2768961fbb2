"""Distances between the distributions of two folders of images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lepbench.errors import LepbenchError
from lepbench.images import read_size
from lepbench.metrics.cmmd import cmmd
from lepbench.metrics.frechet import FeatureStatistics, frechet_distance
from lepbench.metrics.kid import kid_draws, reference
from lepbench.metrics.statistics import Interval
from lepbench.progress import Progress
from lepbench.scoring.extractors import Extractor
from lepbench.scoring.features import (
    Features,
    Pictures,
    PictureSet,
    embed_pictures,
    find_pictures,
    take_label,
)
from lepbench.scoring.reference import is_statistics, read_extracted
from lepbench.seeds import derive_seed

WORLD = 64
"""Side in px of the pictures of sketchworld that the judge learnt."""


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
        reference_folder: of pictures, or of `lepbench statistics make`.
        progress: called with (stage, done, total).

    Raises:
        LepbenchError: a folder is missing or has fewer than 4 pictures, a picture cannot be read (a set with
            pictures left out would be another set), or the statistics are of another extractor.
    """
    x = extract_folder_features(generated, extractor, progress)
    if is_statistics(reference_folder):
        y = read_extracted(reference_folder, extractor)
    else:
        y = extract_folder_features(reference_folder, extractor, progress)
    return compare_sets(x, y, extractor, progress)


def compare_sets(x: PictureSet, y: PictureSet, extractor: Extractor, progress: Progress) -> ImageScores:
    """How far a generated set is from a reference, by features of one extractor.

    Raises:
        LepbenchError: they are of another length, or not finite.
    """
    gaussian, moments = (_statistics(found.features, extractor) for found in (x, y))
    distance = frechet_distance(gaussian, moments)
    return ImageScores(
        frechet_distance=distance,
        frechet_bias=half_size_distance(x.features, moments) - distance,
        kid=_measure_kid(x.features, y.features, f"kid {extractor.label}".strip(), progress),
        cmmd=cmmd(x.features, y.features) if extractor.unit else None,
        n_generated=len(x.features),
        n_reference=len(y.features),
        repeated_generated=x.repeated,
        repeated_reference=y.repeated,
        shared=count_shared(x, y),
        extractor=extractor.name,
    )


def count_shared(x: PictureSet, y: PictureSet) -> int:
    """How many different pictures are in both sets."""
    return len(set(x.digests) & set(y.digests))


def _measure_kid(x: Features, y: Features, stage: str, progress: Progress) -> Interval:
    """KID with its interval; progress counts the features that were compared with a whole set."""
    total, done = len(x) + 2 * len(y), 0

    def report(count: int) -> None:
        nonlocal done
        done += count
        progress(stage, done, total)

    progress(stage, 0, total)
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
    pictures = Pictures.of_files(str(folder), find_pictures(folder))
    found = embed_pictures(pictures, {extractor.name: extractor.features}, range(pictures.count), progress)
    return take_label(found, extractor.name)


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
