"""The metrics in a training loop: batches and merged parts give what the pure functions give at once."""

import doctest

import numpy as np
import pytest
import torch

from lepbench.metrics import modules
from lepbench.metrics.boundary import boundary_counts, boundary_scores, levels
from lepbench.metrics.edges import edge_counts, precision_recall_f1
from lepbench.metrics.frechet import FeatureStatistics, frechet_distance
from lepbench.metrics.kid import kid
from lepbench.metrics.masks import mask_iou
from lepbench.metrics.modules import BoundaryBenchmark, EdgeF1, FrechetDistance, KernelDistance, MaskIoU

SEED = torch.Generator().manual_seed(0)
FIRST, SECOND = torch.rand(2, 7, 24, 24, generator=SEED) < 0.2
GENERATED, REAL = torch.randn(30, 5, generator=SEED), torch.randn(40, 5, generator=SEED) + 0.5


def merged(make, updates):
    """The figure of two copies that saw half of the updates each, merged."""
    one, other = make(), make()
    for number, arguments in enumerate(updates):
        (other if number % 2 else one).update(*arguments)
    one.merge_state(other)
    return one.compute()


def maps(size):
    return [(FIRST[k : k + size], SECOND[k : k + size]) for k in range(0, len(FIRST), size)]


@pytest.mark.parametrize("size", [1, 3, 7])
def test_edges_and_masks_do_not_depend_on_batches(size):
    edges = precision_recall_f1(edge_counts(FIRST, SECOND, (1.0,))).f1.mean()
    assert merged(EdgeF1, maps(size)).item() == pytest.approx(edges, abs=1e-12)
    assert merged(MaskIoU, maps(size)).item() == pytest.approx(mask_iou(FIRST, SECOND).mean(), abs=1e-12)


def test_distances_of_merged_parts_are_those_of_the_whole():
    updates = [(part, False) for part in GENERATED.split(7)] + [(part, True) for part in REAL.split(9)]
    distance = frechet_distance(FeatureStatistics.of(GENERATED), FeatureStatistics.of(REAL))
    assert merged(FrechetDistance, updates).item() == pytest.approx(distance, rel=1e-9)
    assert merged(KernelDistance, updates).item() == pytest.approx(kid(GENERATED, REAL), rel=1e-9)


def test_boundaries_of_merged_parts_are_those_of_the_whole():
    soft = torch.rand(4, 24, 24, generator=SEED) * FIRST[:4]
    people = [torch.stack([FIRST[k], SECOND[k]]) for k in range(4)]
    parts = [
        boundary_counts(s.numpy(), p.numpy(), levels(5), 0.05) for s, p in zip(soft, people, strict=True)
    ]
    expected = boundary_scores(type(parts[0])(*(np.stack(c) for c in zip(*parts, strict=True))), levels(5))
    updates = [(soft[:1], people[:1]), (soft[1:3], people[1:3]), (soft[3:], people[3:])]
    found = merged(lambda: BoundaryBenchmark(thresholds=5, max_dist=0.05), updates)
    assert found["ods"].item() == pytest.approx(expected.ods.f1)
    assert found["ois"].item() == pytest.approx(expected.ois.f1)
    assert found["ap"].item() == pytest.approx(expected.ap)
    with pytest.warns(UserWarning, match="before the"), pytest.raises(ValueError, match="at least one image"):
        BoundaryBenchmark(thresholds=1).compute()


def test_a_metric_starts_anew_after_reset():
    metric = EdgeF1(tolerance=0)
    metric.update(FIRST, SECOND)
    metric.reset()
    metric.update(FIRST, FIRST)
    assert metric.compute() == 1
    assert EdgeF1.higher_is_better
    assert not FrechetDistance.higher_is_better


def test_the_examples_of_the_docstrings_hold():
    results = doctest.testmod(modules)
    assert results.attempted > 10
    assert results.failed == 0
