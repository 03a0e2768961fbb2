"""The BSDS boundary benchmark, gathered image by image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from lepbench.metrics.boundary import BoundaryCounts, boundary_counts, boundary_scores, levels


class BoundaryBenchmark(Metric):
    """ODS, OIS and AP of soft edge maps by the BSDS benchmark; see `boundary_counts` and `boundary_scores`.

    Args:
        thresholds: how many.
        max_dist: largest distance of a match, in diagonals.
        thinned: thin each thresholded map first.
        nms: suppress what is no local maximum before the map is thresholded.

    Example:
        >>> import torch
        >>> soft = torch.zeros(1, 32, 32)
        >>> soft[0, 16, 4:28] = 0.8
        >>> metric = BoundaryBenchmark(thresholds=9)
        >>> metric.update(soft, [soft > 0])
        >>> round(metric.compute()["ods"].item(), 3)
        1.0
    """

    full_state_update = False
    is_differentiable = False
    higher_is_better = True

    counts: list[Tensor]

    def __init__(
        self,
        thresholds: int = 99,
        max_dist: float = 0.0075,
        thinned: bool = True,
        nms: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.levels = levels(thresholds)
        self.max_dist = max_dist
        self.thinned = thinned
        self.nms = nms
        self.add_state("counts", [], dist_reduce_fx="cat")

    def update(self, soft: Tensor, annotations: Sequence[Tensor]) -> None:
        """Add images.

        Args:
            soft: strength of the edges, float [B, H, W] in [0, 1].
            annotations: of each image, bool [A, H, W]; A may differ.

        Raises:
            ValueError: shapes do not fit, annotations are not bool, or strengths are not in [0, 1].
        """
        if soft.ndim != 3:
            raise ValueError(f"expected float [B, H, W], got {soft.dtype} {tuple(soft.shape)}")
        for edges, people in zip(soft, annotations, strict=True):
            found = boundary_counts(
                edges.detach().cpu().numpy(),
                people.cpu().numpy(),
                thresholds=self.levels,
                max_dist=self.max_dist,
                thinned=self.thinned,
                nms=self.nms,
            )
            self.counts.append(torch.from_numpy(np.stack(found))[None])

    def compute(self) -> dict[str, Tensor]:
        """`ods` and `ois`, the best F1 at one threshold and at each image's own, and `ap`: float64 scalars.

        Raises:
            ValueError: no image was added.
        """
        stacked = dim_zero_cat(self.counts).cpu().numpy() if len(self.counts) else np.zeros((0, 4, 1), int)
        scores = boundary_scores(BoundaryCounts(*np.moveaxis(stacked, 1, 0)), self.levels)
        figures = {"ods": scores.ods.f1, "ois": scores.ois.f1, "ap": scores.ap}
        return {name: torch.tensor(value, dtype=torch.float64) for name, value in figures.items()}
