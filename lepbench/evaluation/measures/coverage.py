"""How near generated images lie to real ones, and how many real ones they reach."""

from __future__ import annotations

from lepbench.evaluation.directions import NEIGHBOURS
from lepbench.evaluation.figure_names import label_figure
from lepbench.evaluation.measures.base import MEASURES, ConditionSamples
from lepbench.evaluation.measures.distances import OfFeatures
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.coverage import bootstrap_coverage, density
from lepbench.metrics.statistics import Draws


@MEASURES.register("coverage")
class NeighbourCoverage(OfFeatures):
    """Density and coverage by every judge of features (Naeem et al., 2020)."""

    of_sets = NEIGHBOURS

    def metrics(self, protocol: Protocol) -> list[str]:
        labels = protocol.find_labels("features")
        return [label_figure(name, label) for label in labels for name in NEIGHBOURS]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        found: dict[str, Draws] = {}
        for label in row.protocol.find_labels("features"):
            k = row.protocol.neighbours
            if label not in row.references or len(row.references[label].features) <= k:
                continue
            known = row.references[label].find_neighbours(k)
            features = row.features[label]
            found[label_figure("density", label)] = row.mean(density(features, known))
            rules = row.protocol
            found[label_figure("coverage", label)] = bootstrap_coverage(
                features, known, row.originals, seed=rules.interval_seed, resamples=rules.resamples
            )
        return found
