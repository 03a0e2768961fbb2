"""Depth-like maps of sketchworld: what lies on what, and how a reading of one is judged."""

from __future__ import annotations

import importlib
import sys
from itertools import pairwise
from types import ModuleType

import numpy as np
import pytest
import torch
from benchmark_script import BENCHMARKS, load_script
from scipy.stats import pearsonr, rankdata

from lepbench.sketchworld import SHAPES, render, scene


@pytest.fixture(scope="module")
def scene_maps() -> ModuleType:
    sys.path.insert(0, str(BENCHMARKS))
    # The dataclasses of a script look up its module by name.
    return importlib.import_module("scene_maps")


@pytest.mark.parametrize(
    ("shape", "layers"),
    [
        ("star", (1,)),
        ("cat", (1, 1, 2, 3, 3, 3)),
        ("fish", (1, 1, 2, 3)),
        ("tree", (1, 2, 3, 3)),
        ("boat", (1, 1, 1, 1)),
    ],
)
def test_a_part_lies_above_those_it_covers(
    scene_maps: ModuleType, shape: str, layers: tuple[int, ...]
) -> None:
    assert scene_maps.find_layers(shape) == layers


def test_the_eye_of_a_fish_is_nearer_than_its_body_and_the_ground_is_0(scene_maps: ModuleType) -> None:
    place = next(found for n in range(500) if (found := scene("test", n, 1)).things[0].shape == "fish")
    depth, thing = scene_maps.draw_depth(place), place.things[0]
    parts = [next(p for p in SHAPES["fish"] if p.name == name) for name in ("tail", "body", "eye")]
    middles = [thing.to_picture(part.points, 64).mean(axis=0).astype(int) for part in parts]
    greys = [int(depth[y, x]) for x, y in middles]
    assert all(nearer > farther for farther, nearer in pairwise(greys))
    assert greys[-1] == 255
    mask = render(place).mask
    assert (depth[~mask] < 255 / 2).all()
    assert (depth[mask] > 0).all()


def test_the_correlation_is_that_of_ranks(scene_maps: ModuleType) -> None:
    script = load_script("maps")
    rng = np.random.default_rng(0)
    read, true = rng.random(200), rng.integers(1, 4, 200) / 3
    expected = pearsonr(rankdata(read), rankdata(true)).statistic
    assert script.correlate(torch.tensor(read), torch.tensor(true)) == pytest.approx(expected)
    assert script.correlate(torch.tensor(true**3), torch.tensor(true)) == pytest.approx(1)
    assert script.correlate(torch.zeros(200), torch.tensor(true)) == 0
    assert np.isnan(script.correlate(torch.tensor(read), torch.ones(200)))


def test_scenes_of_one_layer_do_not_count_and_gains_are_paired(scene_maps: ModuleType) -> None:
    script = load_script("maps")
    real = np.array([1.0, np.nan, 0.5, 0.8])
    found = script.summarise(
        [{"real": {"r": real}, "unguided": {"r": real - 0.4}, "guided": {"r": real - 0.1}}]
    )
    assert found["r"]["real"][0] == pytest.approx(2.3 / 3, abs=1e-4)
    assert found["r"]["gain"] == pytest.approx([0.3] * 3)
