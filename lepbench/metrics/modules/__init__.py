"""The metrics as `torchmetrics.Metric`s: update, compute, merge."""

from lepbench.metrics.modules.boundary import BoundaryBenchmark
from lepbench.metrics.modules.captions import ClassAccuracy, ClipScore, ClipSimilarity
from lepbench.metrics.modules.distances import FrechetDistance, KernelDistance
from lepbench.metrics.modules.diversity import PairwiseDiversity, VendiScore
from lepbench.metrics.modules.edges import ChamferDistance, EdgeF1, OneToOneF1
from lepbench.metrics.modules.neighbours import Coverage, Density
from lepbench.metrics.modules.overlap import MaskIoU, MultiScaleSSIM, SoftIoU
from lepbench.metrics.modules.strokes import StrokeRecall, StrokesFound

__all__ = [
    "BoundaryBenchmark",
    "ChamferDistance",
    "ClassAccuracy",
    "ClipScore",
    "ClipSimilarity",
    "Coverage",
    "Density",
    "EdgeF1",
    "FrechetDistance",
    "KernelDistance",
    "MaskIoU",
    "MultiScaleSSIM",
    "OneToOneF1",
    "PairwiseDiversity",
    "SoftIoU",
    "StrokeRecall",
    "StrokesFound",
    "VendiScore",
]
