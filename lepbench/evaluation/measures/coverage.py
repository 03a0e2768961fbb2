"""How near generated images lie to real ones, and how many real ones they reach."""

from __future__ import annotations

import numpy as np

from lepbench.evaluation.measures.base import MEASURES, ConditionSamples, label_figure
from lepbench.evaluation.measures.distances import OfFeatures
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.coverage import coverage_by_item, density
from lepbench.metrics.statistics import Draws

NAMES = ("density", "coverage")


@MEASURES.register("coverage")
class Coverage(OfFeatures):
    """Density and coverage by every judge of features (Naeem et al., 2020)."""

    of_sets = NAMES

    def metrics(self, protocol: Protocol) -> list[str]:
        labels = protocol.find_labels("features")
        return [label_figure(name, label) for label in labels for name in NAMES]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        found: dict[str, Draws] = {}
        for label in row.protocol.find_labels("features"):
            k = row.protocol.neighbours
            if label not in row.references or len(row.references[label].features) <= k:
                continue
            known = row.references[label].find_neighbours(k)
            features = row.features[label]
            found[label_figure("density", label)] = row.mean(density(features, known))
            covered = row.bootstrap(coverage_by_item(features, known, row.items), np.unique(row.items))
            # Contributions of items may be negative or above 1; a coverage is a share.
            share = Draws(covered.value, np.clip(covered.draws, 0, 1))
            found[label_figure("coverage", label)] = share
        return found
