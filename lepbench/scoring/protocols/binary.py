"""Binary maps: the strict F1 of pooled pixels as published, and the tolerant figures beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import field_validator
from torch import Tensor

from lepbench.detectors import FILE, AnyDetector, identify_detector
from lepbench.images import Pixels
from lepbench.metrics.edges import EdgeCounts, edge_counts, precision_recall_f1
from lepbench.scoring.protocols.base import EdgeFigures, EdgeProtocol, PictureCounts, Strict, Tolerant

Numbers = NDArray[np.float64]


class BinaryProtocol(EdgeProtocol):
    """Edges by one detector in both pictures, compared pixel by pixel and within distances."""

    detector: AnyDetector
    """Finds the edges of references and of generated pictures alike."""
    tolerances: tuple[int, ...] = (0, 1, 2, 3)
    """Distances in pixels, the first of which is 0."""
    matching: str = "a pixel of either map matches if the other map has one within the tolerance, Euclidean"
    pooling: str = "counts summed over the pictures of a prompt"
    aggregation: str = "strict and pooled: mean over prompts; tolerant: mean over pictures"
    empty: str = "strict: a ratio over nothing is 0; tolerant: 1 if both maps are empty, 0 if one is"

    @field_validator("tolerances")
    @classmethod
    def _strict_first(cls, tolerances: tuple[int, ...]) -> tuple[int, ...]:
        if not tolerances or tolerances[0] != 0:
            raise ValueError("the first tolerance must be 0, which the strict figure needs")
        return tolerances

    def settings(self) -> dict[str, Any]:
        detector = self.detector.model_dump(mode="json", exclude=FILE)
        return super().settings() | {
            "detector": detector,
            "detector_identity": identify_detector(self.detector),
        }

    def detect(self, pictures: Tensor) -> Tensor:
        return self.detector(pictures)

    def from_grey(self, grey: Pixels) -> Tensor:
        if not np.isin(grey, (0, 255)).all():
            raise ValueError("it is no binary map; its pixels must be 0 or 255")
        return torch.from_numpy(grey == 255)

    def rows(self, generated: Tensor, reference: Tensor) -> PictureCounts:
        counts = np.stack(edge_counts(generated, reference, self.tolerances), axis=1)
        return counts.reshape(len(counts), -1).astype(np.float64)

    def figures(self, rows: PictureCounts) -> EdgeFigures:
        prompts, pictures, _ = rows.shape
        counts = rows.astype(np.int64).reshape(prompts, pictures, 4, -1)
        return EdgeFigures(strict=compute_strict(_columns(counts.sum(axis=1))), tolerant=self._curve(counts))

    def _curve(self, counts: NDArray[np.int64]) -> tuple[Tolerant, ...]:
        each = precision_recall_f1(_columns(counts))
        pooled = precision_recall_f1(_columns(counts.sum(axis=1)))
        points = []
        for at, tolerance in enumerate(self.tolerances):
            f1, whole = self.interval(each.f1[..., at]), self.interval(pooled.f1[..., at])
            points.append(
                Tolerant(
                    tolerance,
                    f1=f1.value,
                    precision=float(each.precision[..., at].mean()),
                    recall=float(each.recall[..., at].mean()),
                    low=f1.low,
                    high=f1.high,
                    f1_pooled=whole.value,
                    f1_pooled_low=whole.low,
                    f1_pooled_high=whole.high,
                )
            )
        return tuple(points)


def compute_strict(pooled: EdgeCounts) -> Strict:
    """Pixel-exact figures as torchmetrics has them: mean over prompts of the pooled pixels' figures.

    Args:
        pooled: [P, T], a row a prompt, the first column at 0 px.
    """
    hits, found, wanted = (column[:, 0] for column in (pooled[0], pooled[1], pooled[3]))
    return Strict(_mean_ratio(2 * hits, found + wanted), _mean_ratio(hits, found), _mean_ratio(hits, wanted))


def _mean_ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> float:
    return float((part / np.maximum(whole, 1)).mean())


def _columns(counts: NDArray[np.int64]) -> EdgeCounts:
    """[..., 4, T] as the four counts, [..., T] each."""
    return EdgeCounts(*np.moveaxis(counts, -2, 0))
