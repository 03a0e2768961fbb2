"""The models that judge: a CLIP model, a segmenter, and what the first makes of true pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lepbench.errors import LepbenchError
from lepbench.evaluation.protocol import Protocol
from lepbench.files import sha256_file
from lepbench.metrics.clip import ClipScorer
from lepbench.metrics.frechet import Gaussian, Moments
from lepbench.metrics.kid import Reference, reference

ASSETS = Path(__file__).parents[1] / "assets"
Segmenter = Callable[[Tensor], Tensor]
Classify = Callable[[Tensor], list[str]]


class Matching(NamedTuple):
    """Unit features [B, D] in one space, of sketches bool [B, H, W] and pictures [B, 3, H, W] in [0, 1]."""

    sketches: Callable[[Tensor], Tensor]
    pictures: Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class JudgeStatistics:
    """The judge's features of true renders that no item shows.

    Attributes:
        moments: their mean and covariance, for the Frechet distance.
        features: the features themselves, float32 [N, D], for KID.
    """

    moments: Gaussian
    features: NDArray[np.float32]

    @cached_property
    def known(self) -> Reference:
        """The features as `kid` takes them, prepared once: their kernel with themselves is the dear part."""
        return reference(self.features)

    @classmethod
    def load(cls, path: Path) -> JudgeStatistics:
        """Read safetensors with `mean` [D], `covariance` [D, D] (float64) and `features` [N, D].

        Raises:
            LepbenchError: the file is missing or damaged, or the shapes do not agree.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        if not path.is_file():
            raise LepbenchError(f"missing file {path}", "reinstall lepbench")
        try:
            tensors = load_file(path)
            mean, covariance, features = (tensors[key] for key in ("mean", "covariance", "features"))
        except (OSError, SafetensorError, KeyError) as error:
            raise LepbenchError(f"{path} holds no judge statistics: {error}", "reinstall lepbench") from error
        n, width = features.shape if features.ndim == 2 else (0, 0)
        if n < 2 or mean.shape != (width,) or covariance.shape != (width, width):
            shapes = f"mean {mean.shape}, covariance {covariance.shape}, features {features.shape}"
            raise LepbenchError(f"{path}: shapes do not agree: {shapes}", "reinstall lepbench")
        moments = Moments(mean.astype(np.float64), covariance.astype(np.float64))
        return cls(moments, features.astype(np.float32))


@dataclass(frozen=True)
class Judges:
    """All that scores a picture besides arithmetic.

    Attributes:
        scorer: similarity to captions, and the features of `kid` and `frechet_distance`.
        segmenter: pictures [B, 3, H, W] in [0, 1] to bool [B, H, W], true on an object.
        matching: sketches and pictures into one space.
        classify: pictures to the name of the class each shows.
        statistics: features of true renders.
        weights: SHA-256 of every file behind them, by name.
    """

    scorer: ClipScorer
    segmenter: Segmenter
    matching: Matching
    classify: Classify
    statistics: JudgeStatistics
    weights: dict[str, str] = field(default_factory=dict)


def load_judges(protocol: Protocol, device: str = "cpu") -> Judges:
    """The judges that a protocol names.

    Raises:
        LepbenchError: a file of theirs is missing or damaged.
    """
    from lepbench.mini.matcher import load_matcher
    from lepbench.mini.probe import load_classifier
    from lepbench.mini.segmenter import load_segmenter

    names = (protocol.judge, protocol.segmenter, protocol.matcher, protocol.classifier)
    judge, segmenter, matcher, classifier = (ASSETS / name for name in names)
    folders = (judge, segmenter, matcher, classifier)
    files = [path for folder in folders for path in sorted(folder.glob("*.safetensors"))]
    statistics = statistics_path(protocol)
    matched = load_matcher(matcher)
    return Judges(
        scorer=ClipScorer.load(judge, device=device),
        segmenter=load_segmenter(segmenter),
        matching=Matching(matched.sketch_features, matched.picture_features),
        classify=load_classifier(classifier),
        statistics=JudgeStatistics.load(statistics),
        weights={str(path.relative_to(ASSETS)): sha256_file(path) for path in [*files, statistics]},
    )


def statistics_path(protocol: Protocol) -> Path:
    """Where the statistics that a protocol names are kept."""
    return ASSETS / f"{protocol.statistics}.safetensors"
