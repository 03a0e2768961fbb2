"""The judge of things: true pictures have what their captions say, and boxes are where things are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_evaluation import pictures_of

from lepbench.evaluation.measures.attributes import NAMES, score_item
from lepbench.images import to_tensor
from lepbench.judges import load_judge, select_judge
from lepbench.judges.things import EXTENT, Box, crop_box, find_boxes
from lepbench.metrics.attributes import Look
from lepbench.sketchworld import SIZE
from lepbench.suites import Item, load_suite

ITEMS = 48


@pytest.fixture(scope="module")
def items() -> list[Item]:
    return list(load_suite("sketchworld-edges-v1").items(ITEMS))


@pytest.fixture(scope="module")
def seen(items: list[Item]) -> list[list[Look]]:
    read = load_judge(select_judge("sketchworld-things")).things
    assert read is not None
    return read(to_tensor(pictures_of(items)))


def mean_scores(seen: list[list[Look]], items: list[Item]) -> dict[str, float]:
    scores = np.array([score_item(found, item) for found, item in zip(seen, items, strict=True)], float)
    return dict(zip(NAMES, np.nanmean(scores, axis=0), strict=True))


def test_true_pictures_have_what_they_should(items: list[Item], seen: list[list[Look]]) -> None:
    found = mean_scores(seen, items)
    assert found["colour_accuracy"] == found["background_accuracy"] == found["relation_accuracy"] == 1
    # Stripes of small things are a pixel wide.
    assert found["texture_accuracy"] > 0.9
    assert found["pattern_accuracy"] > 0.8


def test_other_pictures_do_not(items: list[Item], seen: list[list[Look]]) -> None:
    found = mean_scores(seen[1:] + seen[:1], items)
    assert found["colour_accuracy"] < 0.4
    assert found["relation_accuracy"] < 0.4
    assert found["pattern_accuracy"] < 0.5


def test_a_picture_in_a_mirror_has_the_other_relation(items: list[Item]) -> None:
    read = load_judge(select_judge("sketchworld-things")).things
    assert read is not None
    beside = [item for item in items if '"relation": "left of"' in item.scene or "right of" in item.scene]
    assert beside
    mirrored = read(to_tensor(pictures_of(beside)).flip(-1))
    assert mean_scores(mirrored, beside)["relation_accuracy"] == 0


def test_boxes_are_the_squares_around_parts() -> None:
    mask = np.zeros((SIZE, SIZE), bool)
    mask[10:20, 30:36] = True
    mask[40:60, 4:24] = True
    mask[0, 0] = True
    assert find_boxes(mask) == [Box(14, 50, 20), Box(33, 15, 10)]
    assert find_boxes(np.zeros_like(mask)) == []


def test_a_crop_shows_the_thing_at_its_usual_size() -> None:
    picture = torch.zeros(3, SIZE, SIZE)
    picture[:, 40:60, 4:24] = 1
    crop = crop_box(picture, Box(14, 50, 20))
    filled = (crop[0] > 0.5).numpy()
    rows, columns = np.flatnonzero(filled.any(axis=1)), np.flatnonzero(filled.any(axis=0))
    for places in (rows, columns):
        assert places[0] + places[-1] == SIZE - 1
        assert len(places) == pytest.approx(EXTENT * SIZE, abs=1)
