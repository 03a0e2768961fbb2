"""Soft maps of detectors whose weights do not ship: structural similarity at several scales."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lepbench.errors import LepbenchError
from lepbench.images import Pixels
from lepbench.scoring.protocols.base import EdgeFigures, EdgeProtocol, PictureCounts

SMALLEST = 176
"""Pixels of the shorter side that the five scales need."""


class SoftProtocol(EdgeProtocol):
    """MS-SSIM of maps that were made elsewhere."""

    detector: str
    """What the maps are to be made with."""
    polarity: str = "strokes bright on black in both maps"
    departure: str = ""
    """What is done otherwise than in the publication, and why; empty if nothing is."""
    similarity: str = "MS-SSIM of torchmetrics in float32: data range 1, five scales, window 11, sigma 1.5"
    aggregation: str = "mean over the pictures of a prompt, then over prompts"

    @property
    def unverified(self) -> str:
        reason = f"the weights of {self.detector} do not ship"
        return f"{reason}; {self.departure}" if self.departure else reason

    def check_detector(self) -> None:
        raise self._missing()

    def detect(self, pictures: Tensor) -> Tensor:
        raise self._missing()

    def from_grey(self, grey: Pixels) -> Tensor:
        if min(grey.shape) < SMALLEST:
            raise ValueError(f"MS-SSIM needs {SMALLEST} px a side, and it has {min(grey.shape)}")
        return torch.from_numpy(grey) / 255.0

    def rows(self, generated: Tensor, reference: Tensor) -> PictureCounts:
        # In float32, as published; `metrics.soft.ms_ssim` is exact, which moves the fifth decimal.
        from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

        similarity: Tensor = multiscale_structural_similarity_index_measure(
            generated[:, None], reference[:, None], data_range=1.0, reduction="none"
        )
        return similarity.double().numpy()[:, None]

    def figures(self, rows: PictureCounts) -> EdgeFigures:
        return EdgeFigures(ms_ssim=self.interval(np.asarray(rows[..., 0])))

    def _missing(self) -> LepbenchError:
        return LepbenchError(
            f"protocol {self.name!r} cannot find edges here: the weights of {self.detector} do not ship",
            "make the maps with it and add --maps",
        )
