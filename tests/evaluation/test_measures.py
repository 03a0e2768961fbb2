"""Every measure fills the columns it names, from one picture at a time, and makes the figures it names."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from tiny_evaluation import pictures_of

from lepbench.detectors import Canny, Sobel
from lepbench.evaluation.figure_names import split_tolerance
from lepbench.evaluation.measures import MEASURES, ConditionSamples, ScoringBatch, strip_label
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import make_shipped_protocol, select_protocol
from lepbench.evaluation.references import load_references
from lepbench.evaluation.sample import Sample
from lepbench.evaluation.score import score_pictures
from lepbench.evaluation.summary import list_metrics
from lepbench.images import to_tensor
from lepbench.judges import Judges, select_judge
from lepbench.suite_sources.sketchworld import SuiteRecipe, make_suite
from lepbench.suites import Item, Suite, load_suite

EVERYTHING = Protocol(
    name="everything",
    size=64,
    detector=Canny(low=0.3, high=0.6),
    contour_detector=Sobel(),
    measures=tuple(MEASURES),
    judges=(
        *make_shipped_protocol(load_suite("sketchworld-edges-v1")).judges,
        select_judge("sketchworld-things"),
    ),
    reference="judge-statistics@1",
)
OF_VARIANTS = {"whole", "weights", "prompt_label"}
"""Truths that only suites of variants have."""
NETWORKS = ("clip_similarity", "clip_wrong_similarity", "features", "sketch_similarity")


@pytest.fixture(scope="module")
def freehand_suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    recipe = SuiteRecipe(
        name="hands",
        description="a few free-hand sketches",
        items=8,
        default_items=8,
        detector=Canny(low=0.3, high=0.6),
        contour_detector=Sobel(),
        levels=(1, 4),
    )
    folder = tmp_path_factory.mktemp("suites") / recipe.name
    make_suite(recipe, folder)
    return Suite(folder)


def samples_of(suite: Suite, items: list[Item]) -> list[Sample]:
    return [Sample(suite, suite.item_ids.index(item.item_id), 0) for item in items]


def frame_of(suite: Suite, judges: Judges, protocol: Protocol, pictures: np.ndarray) -> pd.DataFrame:
    """A scored row of all items, as it is read back."""
    items = list(suite.items())
    samples = samples_of(suite, items)
    frame = pd.DataFrame(score_pictures(pictures, samples, truths=items, judges=judges, protocol=protocol))
    return frame.assign(item_id=[item.item_id for item in items], sample_index=0)


def row_of(frame: pd.DataFrame) -> ConditionSamples:
    """A scored row of real pictures, with features and references."""
    features = {"sketchworld-clip": np.stack(frame["features@sketchworld-clip"].to_list())}
    real = frame.set_index("item_id")
    references = load_references(EVERYTHING)
    return ConditionSamples(frame, real, EVERYTHING, features=features, references=references)


@pytest.mark.parametrize("name", list(MEASURES))
def test_a_measure_fills_its_columns_and_makes_its_metrics(
    freehand_suite: Suite, tiny_judges: Judges, name: str
) -> None:
    measure = MEASURES.get(name)()
    items = list(freehand_suite.items())
    pictures = pictures_of(items)
    batch = ScoringBatch(
        to_tensor(pictures), samples_of(freehand_suite, items), items, judges=tiny_judges, protocol=EVERYTHING
    )
    counted = measure.count(batch)
    assert list(counted) == list(measure.columns(EVERYTHING))
    assert {len(values) for values in counted.values()} <= {len(items)}
    frame = frame_of(freehand_suite, tiny_judges, EVERYTHING, pictures)
    found = measure.draws(row_of(frame))
    # Too few samples, and one an item.
    unpublished = {f"{figure}@sketchworld-clip" for figure in ("fd", "fd_by_index", "diversity", "vendi")}
    if set(measure.truths) & OF_VARIANTS:
        unpublished |= set(measure.metrics(EVERYTHING))
    assert set(measure.metrics(EVERYTHING)) - unpublished == set(found) - unpublished
    of_other_judges = {"fid", "fid_by_index", "cmmd"}
    named = {strip_label(name) for name in measure.metrics(EVERYTHING)}
    assert {*measure.lower_is_better, *measure.of_sets} - of_other_judges <= named
    assert set(measure.neither_is_better) <= {split_tolerance(name)[0] for name in named}


def test_counts_do_not_depend_on_the_batch(freehand_suite: Suite, tiny_judges: Judges) -> None:
    items = list(freehand_suite.items())
    pictures = pictures_of(map(freehand_suite.successor, items))
    samples = samples_of(freehand_suite, items)
    judged: dict[str, Any] = {"judges": tiny_judges, "protocol": EVERYTHING}
    together = score_pictures(pictures, samples, truths=items, **judged)
    for i, whole in enumerate(together):
        here = slice(i, i + 1)
        (alone,) = score_pictures(pictures[here], samples[here], truths=items[here], **judged)
        for name, value in alone.items():
            if strip_label(name) in NETWORKS:
                np.testing.assert_allclose(value, whole[name], rtol=1e-5, atol=1e-6)
            else:
                np.testing.assert_equal(value, whole[name])


def test_true_pictures_score_what_they_must(tiny_suite: Suite, tiny_judges: Judges) -> None:
    protocol = select_protocol(tiny_suite)
    pictures = pictures_of(tiny_suite.items())
    frame = frame_of(tiny_suite, tiny_judges, protocol, pictures)
    assert (frame["chamfer_px"] == 0).all()
    np.testing.assert_allclose(frame[["soft_iou", "ms_ssim"]], 1.0)
    for label in protocol.labels:
        assert (frame[f"paired_matched_target_{label}"] == frame["paired_target"]).all()


def test_strokes_are_asked_for_one_by_one(freehand_suite: Suite, tiny_judges: Judges) -> None:
    items = list(freehand_suite.items())
    pictures = pictures_of(items)
    frame = frame_of(freehand_suite, tiny_judges, EVERYTHING, pictures)
    edges = EVERYTHING.detector(to_tensor(pictures)).numpy()
    for item, drawn, recall in zip(items, edges, frame["stroke_recall_2px"], strict=True):
        lines = np.argwhere(drawn)
        numbers = np.unique(item.strokes[item.strokes > 0])
        shares = [(cdist(np.argwhere(item.strokes == n), lines).min(axis=1) <= 2).mean() for n in numbers]
        assert recall == pytest.approx(np.mean(shares))


def test_a_class_is_asked_for_only_where_there_is_one(tiny_suite: Suite, tiny_judges: Judges) -> None:
    items = list(tiny_suite.items())
    frame = frame_of(tiny_suite, tiny_judges, EVERYTHING, pictures_of(items))
    known = np.array([item.label is not None for item in items])
    assert 0 < known.sum() < len(items)
    assert (frame["class_read@sketchworld-classifier"].notna() == known).all()
    read = frame["class_read@sketchworld-classifier"]
    right = [name == item.label for name, item in zip(read, items, strict=True) if item.label]
    found = MEASURES.get("classes")().draws(row_of(frame))
    assert found["class_accuracy@sketchworld-classifier"].value == pytest.approx(np.mean(right))


def test_a_free_hand_suite_has_its_own_protocol(freehand_suite: Suite, tiny_suite: Suite) -> None:
    hands, edges = select_protocol(freehand_suite), select_protocol(tiny_suite)
    assert (hands.name, edges.name) == ("lepbench-freehand-v1", "lepbench-edges-v1")
    assert (list_metrics(hands)[0], list_metrics(edges)[0]) == ("faithful_iou", "faithful_f1")
    assert "stroke_recall_2px" not in list_metrics(edges)
    assert {item.item_id.rpartition("-")[2] for item in freehand_suite.items()} == {"level1", "level4"}
    for item in freehand_suite.items():
        assert ((item.strokes > 0) == item.sketch).all()
        assert item.strokes.max() >= 1


@pytest.mark.parametrize(("size", "labels"), [(64, []), (256, ["0.0075d"]), (512, ["0.0075d"])])
def test_tolerances_follow_the_size_of_large_pictures(
    tiny_suite: Suite, size: int, labels: list[str]
) -> None:
    suite = Suite(tiny_suite.folder)
    suite.definition = suite.definition.model_copy(update={"size": size})
    protocol = select_protocol(suite)
    assert protocol.labels == ["0px", "1px", "2px", "3px", *labels]
    if labels:
        assert protocol.distances[-1] == pytest.approx(0.0075 * np.hypot(size, size))


def test_every_term_moves_the_hash() -> None:
    changes = {
        "measures": ("edges",),
        "tolerances": (0, 1),
        "soft_detector": Sobel(thin=True),
        "batch_size": 4,
    }
    hashes = {EVERYTHING.model_copy(update={key: value}).sha256 for key, value in changes.items()}
    assert len(hashes | {EVERYTHING.sha256}) == 5


def test_an_item_without_a_scene_has_no_class(tiny_suite: Suite) -> None:
    item = dataclasses.replace(tiny_suite.items()[0], scene="")
    assert item.label is None


def test_measures_are_found_by_the_docs() -> None:
    text = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
    for name in map(strip_label, list_metrics(EVERYTHING)):
        assert name in text or name.rpartition("_")[0] in text, name
