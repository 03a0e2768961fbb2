"""Base class of edge protocols: typed and hashed rules for scoring folders of images."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from torch import Tensor

from lepbench.config import Config
from lepbench.files import sha256_bytes
from lepbench.images import Pixels
from lepbench.metrics.statistics import Interval, bootstrap
from lepbench.registry import Registry

PictureCounts = NDArray[np.float64]


class Strict(NamedTuple):
    """The published figures, each in [0, 1]."""

    f1: float
    precision: float
    recall: float


class Tolerant(NamedTuple):
    """Figures within a distance: means over pictures, with the interval of `f1`, then pooled per prompt."""

    tolerance_px: int
    f1: float
    precision: float
    recall: float
    low: float
    high: float
    f1_pooled: float
    f1_pooled_low: float
    f1_pooled_high: float


@dataclass(frozen=True)
class EdgeFigures:
    """What a protocol comes to: of binary maps `strict` and `tolerant`, of soft ones `ms_ssim`."""

    strict: Strict | None = None
    tolerant: tuple[Tolerant, ...] = ()
    ms_ssim: Interval | None = None


class EdgeProtocol(Config, ABC):
    """All rules of a figure. Two figures are comparable only if the hashes of their protocols agree."""

    name: str
    size: int = 512
    """Height and width at which edges are found, in pixels."""
    resize: str = "PIL bicubic of the 8-bit RGB picture to size x size, aspect not kept; none where it fits"
    intervals: str = "percentile bootstrap over prompts, each with all its pictures"
    confidence: float = Field(default=0.95, gt=0, lt=1)
    resamples: int = Field(default=2000, ge=1)
    interval_seed: int = 0

    @property
    def sha256(self) -> str:
        """Hash of every setting, and of the detector's version."""
        return sha256_bytes(json.dumps(self.settings(), sort_keys=True).encode())

    def settings(self) -> dict[str, Any]:
        """What is hashed."""
        return self.model_dump(mode="json")

    @property
    def unverified(self) -> str:
        """Why a figure is not comparable with the published one; empty if it is."""
        return ""

    def check_detector(self) -> None:
        """Do nothing if `detect` can be run here.

        Raises:
            LepbenchError: its detector does not ship.
        """

    @abstractmethod
    def detect(self, pictures: Tensor) -> Tensor:
        """Maps [B, H, W] of pictures, float [B, 3, H, W] in [0, 1].

        Raises:
            LepbenchError: see `check_detector`.
        """

    @abstractmethod
    def from_grey(self, grey: Pixels) -> Tensor:
        """A stored map, uint8 [H, W], as `detect` would give it, [H, W].

        Raises:
            ValueError: it is no such map; the message says why.
        """

    @abstractmethod
    def rows(self, generated: Tensor, reference: Tensor) -> PictureCounts:
        """What is kept of every generated map: [B, H, W] and [B, H, W] to float64 [B, K]."""

    @abstractmethod
    def figures(self, rows: PictureCounts) -> EdgeFigures:
        """The figures of all rows, float64 [prompts, pictures a prompt, K]."""

    def interval(self, values: ArrayLike) -> Interval:
        """The mean of one value a prompt, [P], or a picture, [P, S], with its interval over prompts."""
        table = np.asarray(values, dtype=np.float64)
        table = table.reshape(len(table), -1)
        prompts = np.repeat(np.arange(len(table)), table.shape[1])
        draws = bootstrap(table.ravel(), prompts, seed=self.interval_seed, resamples=self.resamples)
        return draws.interval(self.confidence)


PROTOCOLS: Registry[EdgeProtocol] = Registry("protocol")


def register(protocol: EdgeProtocol) -> None:
    """File a protocol under its name."""
    PROTOCOLS.register(protocol.name)(protocol)
