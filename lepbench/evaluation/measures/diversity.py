"""How far the samples of an item differ from one another."""

from __future__ import annotations

import numpy as np

from lepbench.evaluation.directions import DIVERSITIES
from lepbench.evaluation.figure_names import label_figure
from lepbench.evaluation.measures.base import MEASURES, ConditionSamples
from lepbench.evaluation.measures.distances import OfFeatures
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.diversity import pairwise_distances, vendi_scores
from lepbench.metrics.statistics import Draws
from lepbench.suites import Truth

FIGURES = {"diversity": pairwise_distances, "vendi": vendi_scores}


@MEASURES.register("diversity")
class Diversity(OfFeatures):
    """Mean cosine distance of two samples of an item, and the Vendi score, where items have several."""

    neither_is_better = DIVERSITIES

    def find_truths(self, protocol: Protocol) -> tuple[Truth, ...]:
        """None: samples are compared with each other."""
        return ()

    def metrics(self, protocol: Protocol) -> list[str]:
        labels = protocol.find_labels("features")
        return [label_figure(name, label) for label in labels for name in FIGURES]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        found: dict[str, Draws] = {}
        for label in row.protocol.find_labels("features"):
            for name, measure in FIGURES.items():
                values, items = measure(row.features[label], row.items), np.unique(row.items)
                known = np.isfinite(values)
                if known.any():
                    found[label_figure(name, label)] = row.bootstrap(values[known], items[known])
        return found
