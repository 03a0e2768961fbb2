"""The protocol: everything about a score that no submitter chooses, typed and hashed."""

from __future__ import annotations

import json
from typing import Literal

from lepbench.config import Config
from lepbench.detectors import AnyDetector, detector_from, identity
from lepbench.files import sha256_bytes
from lepbench.suites import Suite

NAME = "lepbench-edges-v1"


class Protocol(Config):
    """How pictures are made into figures. Two scores compare only if their protocols' hashes agree."""

    name: Literal["lepbench-edges-v1"] = "lepbench-edges-v1"
    size: int
    """Height and width at which pictures are drawn and scored, in pixels."""
    detector: AnyDetector
    """Finds the edges of a sample that are held against the sketch: the one that made the sketch."""
    contour_detector: AnyDetector
    """Finds the edges that are held against the exact contours."""
    seed: str = "first 63 bits of sha256(suite, item_id, sample_index); noise drawn on the CPU, item by item"
    pictures: str = "scored as stored, 8 bits a channel"
    wrong: str = "the next item of the whole suite, cyclic, whose prompt differs"
    matching: str = "a pixel of either map matches if the other map has one within the tolerance, Euclidean"
    tolerances: tuple[int, ...] = (0, 1, 2)
    """Distances in pixels at which edges are held against the sketch."""
    contour_tolerance: int = 1
    """Distance in pixels at which edges are held against the exact contours."""
    headline: str = "faithful_f1: edge_f1 at the headline tolerance times clip_skill clipped to [0, 1]"
    """What ranks a leaderboard."""
    headline_tolerance: int = 1
    """Distance in pixels of the headline's edge figure."""
    aggregation: str = "mean over samples of each sample's figure"
    intervals: str = "percentile bootstrap over items; for kid, items subsampled without replacement"
    confidence: float = 0.95
    resamples: int = 2000
    kid_subsamples: int = 1000
    kid_fraction: float = 0.8
    """Share of the items in a subsample."""
    interval_seed: int = 0
    frechet_from: int = 512
    """Fewest samples of which a Frechet distance is published."""
    unit: int = 8
    """Samples drawn as one batch: fixed, because a batch changes the last bits of a network's output."""
    judge: str = "judge@1"
    """CLIP model of the similarities, and extractor of the features of `kid` and `frechet_distance`."""
    segmenter: str = "segmenter@1"
    """Finds the objects of a sample for `mask_iou`."""
    statistics: str = "judge-statistics@1"
    """The judge's features of true renders that no item shows."""

    @property
    def sha256(self) -> str:
        """Hash of every setting, and of the detectors' versions."""
        settings = self.model_dump(mode="json")
        settings["detectors"] = [identity(self.detector), identity(self.contour_detector)]
        return sha256_bytes(json.dumps(settings, sort_keys=True).encode())


def protocol_of(suite: Suite) -> Protocol:
    """The protocol of a suite: its size and its pinned detectors, and rules that are the same for all.

    Raises:
        LepbenchError: a detector is unknown here.
    """
    definition = suite.definition
    return Protocol(
        size=definition.size,
        detector=detector_from(definition.detector),
        contour_detector=detector_from(definition.contour_detector),
    )
