"""What a judge is: a network that scores pictures, found by its name; and the set an evaluation uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from torch import Tensor

from lepbench.files import list_visible
from lepbench.judges.statistics import JudgeStatistics
from lepbench.registry import Registry

Segment = Callable[[Tensor], Tensor]
"""Pictures [B, 3, H, W] in [0, 1] to bool [B, H, W], true on an object."""
Classify = Callable[[Tensor], list[str]]
"""Pictures [B, 3, H, W] in [0, 1] to the name of the class that each shows."""


class CaptionScorer(Protocol):
    """What compares pictures with captions in one space; `ClipScorer` is one."""

    def image_embedding(self, images: Tensor) -> Tensor:
        """Features of pictures [B, 3, H, W] in [0, 1], not normalised: float32 [B, D]."""

    def image_features(self, images: Tensor) -> Tensor:
        """`image_embedding` of unit length."""

    def text_features(self, captions: Sequence[str]) -> Tensor:
        """Features of captions, of unit length: float32 [B, D]."""

    def truncated(self, captions: Sequence[str]) -> int:
        """How many captions are longer than it reads."""


class Matching(NamedTuple):
    """Unit features [B, D] in one space, of sketches bool [B, H, W] and pictures [B, 3, H, W] in [0, 1]."""

    sketches: Callable[[Tensor], Tensor]
    pictures: Callable[[Tensor], Tensor]


class LoadedJudge(NamedTuple):
    """A judge ready to score.

    Attributes:
        judge: a `CaptionScorer`, a `Segment`, a `Matching` or a `Classify`, by what a protocol names it for.
        files: its weight files, of different names; a record keeps their SHA-256 as `NAME/FILE`.
    """

    judge: Any
    files: tuple[Path, ...]


JudgeLoader = Callable[[str], LoadedJudge]
"""From a device, such as `cpu` or `cuda:0`, to a judge."""
JUDGES: Registry[JudgeLoader] = Registry("judge")


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

    scorer: CaptionScorer
    segmenter: Segment
    matching: Matching
    classify: Classify
    statistics: JudgeStatistics
    weights: dict[str, str] = field(default_factory=dict)


def list_weights(folder: Path) -> tuple[Path, ...]:
    """The weight files in a judge's folder, sorted."""
    return tuple(path for path in list_visible(folder) if path.suffix == ".safetensors")
