"""Free-hand drawings get looser by the level, and level 0 is exact."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from lepbench.errors import LepbenchError
from lepbench.sketchworld import SHAPES, freehand, render, scene

indices = st.integers(0, 10**6)


def distance_to_contours(index: int, level: int) -> float:
    there = scene("test", index)
    drawn = freehand(there, level).raster
    return float(ndimage.distance_transform_edt(~render(there).contours)[drawn].mean())


@pytest.mark.slow
def test_distance_from_the_contours_grows_with_the_level() -> None:
    means = [np.mean([distance_to_contours(i, level) for i in range(40)]) for level in range(5)]
    assert means[0] == 0
    assert all(b > a + 0.1 for a, b in pairwise(means))


def test_ink_falls_as_strokes_are_dropped() -> None:
    ink = [
        np.mean([freehand(scene("test", i), level).raster.sum() for i in range(40)]) for level in (1, 3, 4)
    ]
    assert ink[0] > ink[1] > ink[2]


@given(indices)
@settings(max_examples=25)
def test_level_1_misses_little_of_the_contours(index: int) -> None:
    there = scene("test", index)
    drawn = ndimage.distance_transform_edt(~freehand(there, 1).raster)
    assert (drawn[render(there).contours] <= 2).mean() > 0.9


@given(indices, st.integers(1, 4))
@settings(max_examples=25)
def test_every_thing_keeps_a_stroke_and_strokes_name_parts(index: int, level: int) -> None:
    there = scene("test", index)
    strokes = freehand(there, level).strokes
    assert {stroke.thing for stroke in strokes} == set(range(len(there.things)))
    for stroke in strokes:
        assert stroke.part in {part.name for part in SHAPES[there.things[stroke.thing].shape]}


def test_the_same_hand_draws_the_same_sketch() -> None:
    there = scene("test", 5)
    assert (freehand(there, 3).raster == freehand(there, 3).raster).all()
    assert (freehand(there, 3).raster != freehand(there, 2).raster).any()


def test_no_such_level_is_one_line() -> None:
    with pytest.raises(LepbenchError, match="levels are 0 to 4"):
        freehand(scene("test", 0), 5)
