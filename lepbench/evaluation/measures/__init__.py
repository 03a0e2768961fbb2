"""Measures, one file each; importing this package fills `MEASURES`."""

from lepbench.evaluation.measures.base import (
    MEASURES,
    Columns,
    ConditionSamples,
    Measure,
    ScoringBatch,
    select_measures,
)
from lepbench.evaluation.measures.captions import Captions
from lepbench.evaluation.measures.chamfer import Chamfer
from lepbench.evaluation.measures.distances import Distances
from lepbench.evaluation.measures.edges import Contours, Edges
from lepbench.evaluation.measures.faithful import FaithfulF1, FaithfulIoU
from lepbench.evaluation.measures.masks import Masks
from lepbench.evaluation.measures.paired import Paired
from lepbench.evaluation.measures.semantic import Semantic
from lepbench.evaluation.measures.soft import Soft
from lepbench.evaluation.measures.strokes import Strokes

__all__ = [
    "MEASURES",
    "Captions",
    "Chamfer",
    "Columns",
    "ConditionSamples",
    "Contours",
    "Distances",
    "Edges",
    "FaithfulF1",
    "FaithfulIoU",
    "Masks",
    "Measure",
    "Paired",
    "ScoringBatch",
    "Semantic",
    "Soft",
    "Strokes",
    "select_measures",
]
