"""The metrics in a training loop: batches and merged parts give what the pure functions give at once."""

import doctest
import importlib
import pkgutil
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from lepbench.metrics import modules
from lepbench.metrics.boundary import boundary_counts, boundary_scores, levels
from lepbench.metrics.chamfer import chamfer_distance
from lepbench.metrics.classes import class_accuracy
from lepbench.metrics.clip import clip_score, cosine
from lepbench.metrics.coverage import coverage, density, reference
from lepbench.metrics.diversity import pairwise_distances, vendi_scores
from lepbench.metrics.edges import edge_counts, precision_recall_f1
from lepbench.metrics.frechet import FeatureStatistics, frechet_distance
from lepbench.metrics.kid import kid
from lepbench.metrics.masks import mask_iou
from lepbench.metrics.modules import (
    BoundaryBenchmark,
    ChamferDistance,
    ClassAccuracy,
    ClipScore,
    ClipSimilarity,
    Coverage,
    Density,
    EdgeF1,
    FrechetDistance,
    KernelDistance,
    MaskIoU,
    MultiScaleSSIM,
    OneToOneF1,
    PairwiseDiversity,
    SoftIoU,
    StrokeRecall,
    StrokesFound,
    VendiScore,
)
from lepbench.metrics.one_to_one import one_to_one_counts
from lepbench.metrics.soft import ms_ssim, soft_iou
from lepbench.metrics.strokes import stroke_recall

SEED = torch.Generator().manual_seed(0)
FIRST, SECOND = torch.rand(2, 7, 24, 24, generator=SEED) < 0.2
SOFT, OTHER = torch.rand(2, 7, 24, 24, generator=SEED)
STROKES = torch.randint(4, (7, 24, 24), generator=SEED) * SECOND
STROKES[2] = 0  # a sample without strokes has no figure
PICTURES, CAPTIONS = torch.randn(2, 7, 5, generator=SEED)
CLASSES, LABELS = torch.randn(3, 5, generator=SEED), torch.randint(3, (7,), generator=SEED)
GENERATED, REAL = torch.randn(30, 5, generator=SEED), torch.randn(40, 5, generator=SEED) + 0.5

# Each module, what it takes, and the figures of the samples by the pure function.
MEANS: dict[str, tuple[Callable[[], Any], tuple[torch.Tensor, torch.Tensor], np.ndarray]] = {
    "edge F1": (EdgeF1, (FIRST, SECOND), precision_recall_f1(edge_counts(FIRST, SECOND, (1.0,))).f1),
    "one-to-one F1": (
        OneToOneF1,
        (FIRST, SECOND),
        precision_recall_f1(one_to_one_counts(FIRST, SECOND, (1.0,))).f1,
    ),
    "chamfer": (ChamferDistance, (FIRST, SECOND), chamfer_distance(FIRST, SECOND)),
    "relative chamfer": (
        lambda: ChamferDistance(relative=True),
        (FIRST, SECOND),
        chamfer_distance(FIRST, SECOND) / np.hypot(24, 24),
    ),
    "stroke recall": (StrokeRecall, (FIRST, STROKES), stroke_recall(FIRST, STROKES).recall),
    "strokes found": (StrokesFound, (FIRST, STROKES), stroke_recall(FIRST, STROKES).found),
    "mask IoU": (MaskIoU, (FIRST, SECOND), mask_iou(FIRST, SECOND)),
    "soft IoU": (SoftIoU, (SOFT, OTHER), soft_iou(SOFT, OTHER)),
    "MS-SSIM": (MultiScaleSSIM, (SOFT, OTHER), ms_ssim(SOFT, OTHER)),
    "similarity": (ClipSimilarity, (PICTURES, CAPTIONS), cosine(PICTURES, CAPTIONS).double().numpy()),
    "CLIP score": (ClipScore, (PICTURES, CAPTIONS), clip_score(PICTURES, CAPTIONS).double().numpy()),
    "classes": (
        lambda: ClassAccuracy(CLASSES),
        (PICTURES, LABELS),
        class_accuracy(PICTURES, CLASSES, LABELS),
    ),
}


def merged(make: Callable[[], Any], updates: Iterable[tuple[Any, ...]]) -> Any:
    """The figure of two copies that saw half of the updates each, merged."""
    one, other = make(), make()
    for number, arguments in enumerate(updates):
        (other if number % 2 else one).update(*arguments)
    one.merge_state(other)
    return one.compute()


@pytest.mark.parametrize("size", [1, 3, 7])
@pytest.mark.parametrize("name", MEANS)
def test_means_do_not_depend_on_batches_and_merge(name: str, size: int) -> None:
    make, inputs, figures = MEANS[name]
    batches = list(zip(*(values.split(size) for values in inputs), strict=True))
    whole = make()
    for batch in batches:
        whole.update(*batch)
    expected = np.nanmean(figures)
    assert whole.compute().item() == pytest.approx(expected, abs=1e-6, rel=1e-6)
    if len(batches) > 1:
        assert merged(make, batches).item() == pytest.approx(whole.compute().item(), abs=1e-12)


def test_distances_of_merged_parts_are_those_of_the_whole() -> None:
    updates = [(part, False) for part in GENERATED.split(7)] + [(part, True) for part in REAL.split(9)]
    distance = frechet_distance(FeatureStatistics.of(GENERATED), FeatureStatistics.of(REAL))
    assert merged(FrechetDistance, updates).item() == pytest.approx(distance, rel=1e-9)
    assert merged(KernelDistance, updates).item() == pytest.approx(kid(GENERATED, REAL), rel=1e-9)


def test_neighbours_of_merged_parts_are_those_of_the_whole() -> None:
    updates = [(part, False) for part in GENERATED.split(7)] + [(part, True) for part in REAL.split(9)]
    for k in (3, 5):
        known = reference(REAL, k)
        expected = density(GENERATED, known).mean()
        assert merged(partial(Density, k), updates).item() == pytest.approx(expected)
        assert merged(partial(Coverage, k), updates).item() == coverage(GENERATED, known)


def test_diversity_is_a_mean_over_items_of_several_samples() -> None:
    items = torch.arange(30) // 4  # seven items of four samples, one of two
    parts = list(zip(GENERATED.split(8), items.split(8), strict=True))
    parts.append((GENERATED[:1], torch.tensor([99])))  # an item of one sample has no figure
    for make, figure in ((PairwiseDiversity, pairwise_distances), (VendiScore, vendi_scores)):
        expected = figure(GENERATED, items.numpy()).mean()
        assert merged(make, parts).item() == pytest.approx(expected)


def test_boundaries_of_merged_parts_are_those_of_the_whole() -> None:
    soft = SOFT[:4] * FIRST[:4]
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


ONE = torch.ones(1, 4)
NAN_MAP, NAN_ROW = torch.full((1, 24, 24), torch.nan), torch.tensor([[1.0, torch.nan, 0, 0]])
MAP = torch.rand(1, 24, 24, generator=torch.Generator().manual_seed(3))
INFINITE = torch.tensor([[torch.inf, 0, 0, 0]])


@pytest.mark.parametrize(
    "update",
    [
        lambda: BoundaryBenchmark().update(NAN_MAP, [MAP > 0.5]),
        lambda: SoftIoU().update(MAP, NAN_MAP),
        lambda: MultiScaleSSIM().update(NAN_MAP, MAP),
        lambda: ClipSimilarity().update(NAN_ROW, ONE),
        lambda: ClipSimilarity().update(ONE, INFINITE),
        lambda: ClipScore().update(ONE, NAN_ROW),
        lambda: ClassAccuracy(torch.eye(4)).update(NAN_ROW, torch.tensor([0])),
        lambda: FrechetDistance().update(NAN_ROW, real=True),
        lambda: KernelDistance().update(INFINITE, real=False),
        lambda: Coverage().update(NAN_ROW, real=True),
        lambda: VendiScore().update(NAN_ROW, torch.tensor([0])),
        lambda: EdgeF1(tolerance=torch.nan),
        lambda: StrokeRecall(tolerance=-1),
    ],
)
def test_no_metric_takes_nan(update: Callable[[], None]) -> None:
    with pytest.raises(ValueError, match=r"NaN|outside \[0, 1\]|a tolerance of"):
        update()


MAPS, LINES = MAP.repeat(3, 1, 1), (MAP > 0.5).repeat(3, 1, 1)


@pytest.mark.parametrize(
    "update",
    [
        lambda: BoundaryBenchmark().update(MAPS, [LINES]),
        lambda: BoundaryBenchmark().update(MAP[0], [LINES[:1]] * 24),
        lambda: BoundaryBenchmark().update(MAP, [LINES[0]]),
        lambda: SoftIoU().update(MAPS, MAP),
        lambda: MultiScaleSSIM().update(MAPS, MAP),
        lambda: EdgeF1().update(LINES, LINES[:1]),
        lambda: OneToOneF1().update(LINES, LINES[..., :1]),
        lambda: ChamferDistance().update(LINES, LINES[:1]),
        lambda: MaskIoU().update(LINES, LINES[:, :1]),
        lambda: StrokeRecall().update(LINES, LINES[:1].long()),
        lambda: StrokesFound().update(LINES[:1], LINES.long()),
        lambda: ClipSimilarity().update(ONE.repeat(3, 1), ONE),
        lambda: ClipScore().update(ONE.repeat(3, 1), ONE[0]),
        lambda: ClassAccuracy(torch.eye(4)).update(ONE.repeat(3, 1), torch.tensor([0])),
        lambda: FrechetDistance().update(ONE[0], real=True),
        lambda: Density().update(ONE[0], real=True),
        lambda: PairwiseDiversity().update(ONE.repeat(3, 1), torch.tensor([0])),
        lambda: updated(KernelDistance(), ONE).update(ONE[:, :1], real=False),
    ],
)
def test_no_metric_broadcasts(update: Callable[[], None]) -> None:
    with pytest.raises(ValueError):
        update()


def updated(metric: KernelDistance, features: torch.Tensor) -> KernelDistance:
    metric.update(features, real=True)
    return metric


def test_a_metric_starts_anew_after_reset() -> None:
    metric = EdgeF1(tolerance=0)
    metric.update(FIRST, SECOND)
    metric.reset()
    metric.update(FIRST, FIRST)
    assert metric.compute() == 1


def test_what_is_better_is_said() -> None:
    lower = {ChamferDistance, FrechetDistance, KernelDistance}
    for metric in (getattr(modules, name) for name in modules.__all__):
        assert metric.higher_is_better is (metric not in lower)


def test_the_examples_of_the_docstrings_hold() -> None:
    files = [f"{modules.__name__}.{file.name}" for file in pkgutil.iter_modules(modules.__path__)]
    results = [doctest.testmod(importlib.import_module(file)) for file in files]
    assert sum(result.attempted > 0 for result in results) >= 6
    assert not any(result.failed for result in results)
    shown = [getattr(modules, name).__doc__ for name in modules.__all__]
    assert all("Example:" in text for text in shown)
