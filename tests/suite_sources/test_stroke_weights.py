"""Suites of weighted strokes: which stroke, where its weight holds, and that methods are told of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

import lepbench
from lepbench.evaluation.measures.weighted import part_strokes
from lepbench.evaluation.sample import Sample
from lepbench.metrics.strokes import stroke_recall
from lepbench.sketches import Unusable
from lepbench.strokes import REACH, find_surroundings
from lepbench.suite_sources.stroke_weights import LEAST, pick_stroke
from lepbench.suites import Suite, load_suite

HANDS = "sketchworld-freehand-v1"


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    out = tmp_path_factory.mktemp("s") / "strokes"
    return lepbench.make_suite("strokes", HANDS, out, items=3, progress=False, weights=(0, 1, 2.5))


def test_one_stroke_has_every_weight_and_methods_are_told(suite: Suite) -> None:
    assert suite.definition.levels == ("0", "1", "2.5")
    assert "weights" in suite.definition.truths
    for position, item in enumerate(suite):
        level = float(suite.definition.levels[position % 3])
        first = suite[position - position % 3]
        assert (item.stroke, item.weight) == (first.stroke, level)
        weights = Sample(suite, position, 0).request.weights
        assert weights is not None
        assert set(np.unique(weights)) == {np.float32(level), np.float32(1)}
        assert (weights[item.strokes == item.stroke] == np.float32(level)).all()
        assert (weights[(item.strokes > 0) & (item.strokes != item.stroke)] == 1).all()
    assert Sample(load_suite(HANDS), 0, 0).request.weights is None


@settings(max_examples=15)
@given(st.integers(0, 255), st.integers(0, 2**32))
def test_the_stroke_is_long_and_its_surroundings_are_nearest_to_it(position: int, seed: int) -> None:
    strokes = load_suite(HANDS)[position].strokes
    try:
        number = pick_stroke(strokes, seed)
    except Unusable:
        pixels = [np.count_nonzero(strokes == one) for one in np.unique(strokes) if one]
        assert len(pixels) < 2 or max(pixels) < LEAST * len(strokes)
        return
    assert np.count_nonzero(strokes == number) >= LEAST * len(strokes)
    everywhere = np.argwhere(np.ones_like(strokes))
    own = cdist(everywhere, np.argwhere(strokes == number)).min(axis=1)
    others = cdist(everywhere, np.argwhere((strokes > 0) & (strokes != number))).min(axis=1)
    expected = ((own <= REACH * len(strokes)) & (own < others)).reshape(strokes.shape)
    assert np.array_equal(find_surroundings(strokes == number, strokes > 0), expected)


def test_another_seed_picks_other_strokes(tmp_path: Path, suite: Suite) -> None:
    other = lepbench.make_suite("strokes", HANDS, tmp_path / "s", items=3, seed=5, progress=False)
    picked = [[item.stroke for item in one if item.level == "0"] for one in (suite, other)]
    assert picked[0] != picked[1]


def test_a_sketch_of_one_stroke_is_left_out() -> None:
    strokes = np.zeros((64, 64), np.uint8)
    strokes[10, 5:50] = 1
    with pytest.raises(Unusable):
        pick_stroke(strokes, 0)
    strokes[20, 5:7] = 2
    assert pick_stroke(strokes, 0) == pick_stroke(strokes, 1) == 1


def test_recall_of_the_stroke_and_of_the_others_are_parted(suite: Suite) -> None:
    item = suite[0]
    own, others = (part_strokes(item, chosen) for chosen in (True, False))
    assert np.array_equal(own + others, item.strokes)
    drawn = torch.from_numpy(own > 0)[None]
    assert stroke_recall(drawn, torch.from_numpy(own)[None], 0).recall[0] == 1
    assert stroke_recall(drawn, torch.from_numpy(others)[None], 0).recall[0] == 0
