"""Figures follow from the samples table: checked against counting by hand and against plain formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tiny_evaluation import pictures_of

from lepbench.detectors import Canny
from lepbench.evaluation.figures import Figures
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import make_shipped_protocol
from lepbench.evaluation.sample import Sample
from lepbench.evaluation.schema import make_schema
from lepbench.evaluation.score import score_pictures
from lepbench.evaluation.summary import list_metrics, summarise_samples
from lepbench.images import to_tensor
from lepbench.judges import ClipScorer, Judges, JudgeStatistics, LoadedJudge
from lepbench.suites import Suite, load_suite

WIDTH = 4
PROTOCOL = make_shipped_protocol(load_suite("sketchworld-edges-v1"))
CLIP = "sketchworld-clip"
INTERSECTION = "mask_intersection@sketchworld-segmenter"
IOU = "mask_iou@sketchworld-segmenter"
FD, KID = f"fd@{CLIP}", f"kid@{CLIP}"
SIMILARITY, WRONG = f"clip_similarity@{CLIP}", f"clip_wrong_similarity@{CLIP}"
RNG = np.random.default_rng(0)
FEATURES = RNG.standard_normal((60, WIDTH)).astype(np.float32)
STATISTICS = {CLIP: JudgeStatistics(FEATURES)}


def sample_row(row: str, item: int, index: int = 0, /, **columns: Any) -> dict[str, Any]:
    counts = [field.name for field in make_schema(PROTOCOL) if field.type == pa.int32()]
    return {
        "row": row,
        "item_id": f"item-{item}",
        "status": "ok",
        **dict.fromkeys(counts, 10),
        **{"chamfer_px": 1.0, "soft_iou": 0.5, "ms_ssim": 0.5, "sketch_similarity@sketchworld-matcher": 0.5},
        **{INTERSECTION: 5, "mask_union@sketchworld-segmenter": 10, SIMILARITY: 0.5, WRONG: 0.1},
        "sample_index": index,
        "seed": 0,
        **columns,
    }


def figures_of(rows: list[dict[str, Any]], row: str = "model") -> Figures:
    return summarise(rows, PROTOCOL)[row]


def summarise(rows: list[dict[str, Any]], protocol: Protocol) -> dict[str, Figures]:
    """The figures of rows whose pictures have random features."""
    features: dict[str, Any] = {}
    for name in {line["row"] for line in rows}:
        drawn = [line for line in rows if line["row"] == name and line["status"] == "ok"]
        noise = [np.random.default_rng(k).standard_normal(WIDTH) for k in range(len(drawn))]
        features[name] = {CLIP: np.array(noise, np.float32).reshape(len(drawn), WIDTH)}
    table = pa.Table.from_pylist(rows, make_schema(protocol))
    return summarise_samples(table, features, STATISTICS, protocol)


def reference_f1(predicted: np.ndarray, target: np.ndarray, tolerance: int) -> float:
    """F1 by comparing every pixel with every other."""

    def share(these: np.ndarray, those: np.ndarray) -> float:
        points, others = np.argwhere(these), np.argwhere(those)
        near = [any(((p - q) ** 2).sum() <= tolerance**2 for q in others) for p in points]
        return float(np.mean(near))

    if not predicted.any() or not target.any():
        return float(predicted.any() == target.any())
    precision, recall = share(predicted, target), share(target, predicted)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


pairs = st.lists(arrays(np.bool_, (2, 8, 8), elements=st.booleans()), min_size=1, max_size=3)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pairs)
def test_edge_f1_is_the_mean_of_samples_counted_by_hand(
    tiny_suite: Suite, tiny_judges: Judges, maps: list[np.ndarray]
) -> None:
    import dataclasses

    class Fixed(Canny):
        def __call__(self, images: torch.Tensor) -> torch.Tensor:
            return torch.from_numpy(np.stack([pair[0] for pair in maps]))

    protocol = PROTOCOL.model_copy(update={"detector": Fixed(), "contour_detector": Fixed(), "size": 8})
    items = [
        dataclasses.replace(item, sketch=pair[1], contour=pair[1], mask=pair[1])
        for item, pair in zip(tiny_suite.items(len(maps)), maps, strict=True)
    ]
    samples = [Sample(tiny_suite, position, 0) for position in range(len(items))]
    fixed = {"sketchworld-segmenter": LoadedJudge(masks=Fixed())}
    judges = dataclasses.replace(tiny_judges, loaded={**tiny_judges.loaded, **fixed})
    pictures = pictures_of(items)
    columns = score_pictures(pictures, samples, truths=items, judges=judges, protocol=protocol, embeds=False)
    rows = [{**sample_row("model", i), **c} for i, c in enumerate(columns)]
    found = summarise(rows, protocol)["model"]
    for tolerance in (0, 1, 2, 3):
        expected = np.mean([reference_f1(first, second, tolerance) for first, second in maps])
        assert found[f"edge_f1_{tolerance}px"].value == pytest.approx(expected)
    assert found["edge_f1_1px_contour"] == found["edge_f1_1px"]
    unions = [(pair[0] | pair[1]).sum() for pair in maps]
    ious = [(p[0] & p[1]).sum() / u if u else 1.0 for p, u in zip(maps, unions, strict=True)]
    assert found[IOU].value == pytest.approx(np.mean(ious))


def test_scores_use_the_items_own_caption_and_the_rivals(tiny_suite: Suite, tiny_judges: Judges) -> None:
    items = tiny_suite.items(3)
    samples = [Sample(tiny_suite, position, 0) for position in items.positions]
    columns = score_pictures(pictures_of(items), samples, truths=items, judges=tiny_judges, protocol=PROTOCOL)
    scorer = tiny_judges[CLIP].captions
    assert isinstance(scorer, ClipScorer)
    for sample, found in zip(samples, columns, strict=True):
        (picture,) = scorer.image_features(to_tensor(pictures_of([sample.item])))
        own, wrong = scorer.text_features([sample.item.prompt, sample.rival.prompt])
        assert found[SIMILARITY] == pytest.approx(float(picture @ own), abs=1e-5)
        assert found[WRONG] == pytest.approx(float(picture @ wrong), abs=1e-5)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.floats(0, 1), st.integers(0, 10))
def test_the_headline_is_edges_discounted_by_the_caption(similarity: float, matched: int) -> None:
    counts = {f"edge_matched_{side}_1px": matched for side in ("predicted", "target")}
    rows = [
        *(sample_row("real", i, **{SIMILARITY: 0.9, WRONG: 0.3}) for i in range(4)),
        *(sample_row("model", i, **{SIMILARITY: similarity}, **counts) for i in range(4)),
    ]
    skill = min(max((similarity - 0.3) / 0.6, 0), 1)
    assert figures_of(rows)["faithful_f1"].value == pytest.approx(matched / 10 * skill, abs=1e-6)


similarities = st.lists(st.tuples(*[st.floats(-1, 1, width=32)] * 3), min_size=1, max_size=8)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(similarities)
def test_clip_skill_is_a_ratio_of_differences_of_means(values: list[tuple[float, float, float]]) -> None:
    rows = [sample_row("model", i, **{SIMILARITY: x}) for i, (x, _, _) in enumerate(values)]
    rows += [
        sample_row("real", i, **{SIMILARITY: real, WRONG: wrong}) for i, (_, wrong, real) in enumerate(values)
    ]
    figure = figures_of(rows)[f"clip_skill@{CLIP}"]
    x, wrong, real = np.array(values).mean(axis=0)
    if real == wrong:
        assert figure.value is None
    else:
        assert figure.value == pytest.approx((x - wrong) / (real - wrong), rel=1e-6)


def test_intervals_resample_items_not_samples() -> None:
    # Four items whose samples agree: many samples an item tell no more than one.
    values = (0, 3, 6, 9)
    once = [sample_row("model", i, **{INTERSECTION: v}) for i, v in enumerate(values)]
    often = [sample_row("model", i, k, **{INTERSECTION: v}) for k in range(20) for i, v in enumerate(values)]
    few, many = (figures_of(rows)[IOU].model_dump(exclude={"n"}) for rows in (once, often))
    assert many == pytest.approx(few)
    assert many["high"] - many["low"] > 0.4


def test_an_interval_holds_its_figure() -> None:
    found = figures_of([sample_row("model", i, **{INTERSECTION: i}) for i in range(10)])
    for name in (IOU, KID):
        figure = found[name]
        assert figure.low < figure.value < figure.high  # type: ignore[operator]


@pytest.mark.parametrize(("samples", "published"), [(511, False), (512, True)])
def test_a_frechet_distance_needs_enough_samples(samples: int, published: bool) -> None:
    figure = figures_of([sample_row("model", i) for i in range(samples)])[FD]
    assert (figure.value is not None) is published
    assert (figure.low, figure.high) == (None, None)


def test_failed_samples_are_in_no_figure() -> None:
    good = [sample_row("model", i, **{INTERSECTION: i}) for i in range(5)]
    failed = {"row": "model", "item_id": "item-9", "sample_index": 0, "seed": 0, "status": "failed"}
    assert figures_of([*good, failed]) == figures_of(good)
    nothing = figures_of([failed, *(sample_row("real", i) for i in range(5))])
    assert list(nothing) == list_metrics(PROTOCOL)
    assert all(figure.value is None for figure in nothing.values())


@pytest.mark.parametrize("samples", [1, 2, 3])
def test_few_samples_have_a_distance_but_no_interval(samples: int) -> None:
    figure = figures_of([sample_row("model", i) for i in range(samples)])[KID]
    assert (figure.value is not None) is (samples > 1)
    assert (figure.low, figure.high) == (None, None)


def test_many_samples_of_one_item_have_no_distance_to_its_one_picture() -> None:
    protocol = PROTOCOL.model_copy(update={"reference": "items", "frechet_from": 3})
    rows = [sample_row("model", 0, index) for index in range(3)]
    figures = summarise([sample_row("real", 0), *rows], protocol)["model"]
    assert (figures[FD].value, figures[KID].value) == (None, None)
    assert figures[f"clip_similarity@{CLIP}"].value == 0.5
