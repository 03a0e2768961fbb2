"""Measures, one file each; importing this package fills `MEASURES`."""

from lepbench.evaluation.figure_names import label_figure, strip_label
from lepbench.evaluation.measures.attributes import Attributes
from lepbench.evaluation.measures.base import (
    MEASURES,
    Columns,
    ConditionSamples,
    Measure,
    ScoringBatch,
    make_measure,
    select_measures,
)
from lepbench.evaluation.measures.captions import Captions
from lepbench.evaluation.measures.chamfer import Chamfer
from lepbench.evaluation.measures.changes import Changes
from lepbench.evaluation.measures.classes import Classes
from lepbench.evaluation.measures.conflict import Conflict
from lepbench.evaluation.measures.coverage import NeighbourCoverage
from lepbench.evaluation.measures.curves import Curves
from lepbench.evaluation.measures.distances import Distances
from lepbench.evaluation.measures.diversity import Diversity
from lepbench.evaluation.measures.edges import Contours, Edges
from lepbench.evaluation.measures.faithful import FaithfulF1, FaithfulIoU, FaithfulPaired
from lepbench.evaluation.measures.masks import Masks
from lepbench.evaluation.measures.paired import Paired
from lepbench.evaluation.measures.pooled import PooledEdges
from lepbench.evaluation.measures.sketches import Sketches
from lepbench.evaluation.measures.slopes import Slopes
from lepbench.evaluation.measures.soft import Soft
from lepbench.evaluation.measures.spreads import Spreads
from lepbench.evaluation.measures.strokes import Strokes
from lepbench.evaluation.measures.unseen import Unseen
from lepbench.evaluation.measures.variants import Variants
from lepbench.evaluation.measures.weighted import Weighted

__all__ = [
    "MEASURES",
    "Attributes",
    "Captions",
    "Chamfer",
    "Changes",
    "Classes",
    "Columns",
    "ConditionSamples",
    "Conflict",
    "Contours",
    "Curves",
    "Distances",
    "Diversity",
    "Edges",
    "FaithfulF1",
    "FaithfulIoU",
    "FaithfulPaired",
    "Masks",
    "Measure",
    "NeighbourCoverage",
    "Paired",
    "PooledEdges",
    "ScoringBatch",
    "Sketches",
    "Slopes",
    "Soft",
    "Spreads",
    "Strokes",
    "Unseen",
    "Variants",
    "Weighted",
    "label_figure",
    "make_measure",
    "select_measures",
    "strip_label",
]
