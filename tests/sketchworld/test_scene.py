"""Scenes are a pure function of (version, split, index), and splits never meet."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepbench.errors import LepbenchError
from lepbench.sketchworld import BACKGROUNDS, COLOURS, HELD_OUT, SHAPES, SPLITS, TEXTURES, Scene, scene
from lepbench.sketchworld.palette import FITTING, MINIMUM_CONTRAST, luma, texture_colour

scenes = st.builds(scene, st.sampled_from(SPLITS), st.integers(0, 10**7))


@given(st.sampled_from(SPLITS), st.integers(0, 10**7))
def test_a_scene_is_a_pure_function(split: str, index: int) -> None:
    assert scene(split, index) == scene(split, index)


def test_another_process_sees_the_same_scenes() -> None:
    code = "from lepbench.sketchworld import scene; print([scene('test', i) for i in range(5)])"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == str([scene("test", i) for i in range(5)])


@given(scenes)
def test_held_out_pairs_are_in_the_compositional_split_alone(there: Scene) -> None:
    for thing in there.things:
        assert ((thing.shape, thing.colour) in HELD_OUT) == (there.split == "compositional")


@given(scenes)
def test_things_stand_out_and_stay_inside(there: Scene) -> None:
    for thing in there.things:
        assert there.background in FITTING[thing.colour]
        assert thing.x - 0.9 * thing.radius > 0
        assert thing.x + 0.9 * thing.radius < 1
    assert len({thing.shape for thing in there.things}) == len(there.things)


@given(scenes)
def test_captions_name_what_is_seen_and_where(there: Scene) -> None:
    for thing in there.things:
        assert thing.shape in there.caption
        assert thing.colour in there.caption
        assert (thing.texture == "plain") or thing.texture[:3] in there.caption.replace("stripes", "striped")
    assert BACKGROUNDS[there.background].phrase in there.caption
    assert len(there.caption.split()) < 30


@given(st.integers(0, 10**6))
def test_a_relation_is_true_of_the_picture(index: int) -> None:
    there = scene("train", index, things=2)
    assert there.relation is not None
    first, second = there.things
    gap = {
        "left of": second.x - first.x,
        "right of": first.x - second.x,
        "above": second.y - first.y,
        "below": first.y - second.y,
    }[there.relation]
    assert gap > 0.3


def test_every_attribute_value_occurs() -> None:
    things = [thing for i in range(3000) for thing in scene("train", i).things]
    assert {thing.shape for thing in things} == set(SHAPES)
    assert {thing.colour for thing in things} == set(COLOURS)
    assert {thing.texture for thing in things} == set(TEXTURES)
    assert {scene("train", i).background for i in range(300)} == set(BACKGROUNDS)
    assert len(SHAPES) >= 16


def test_contrast_rule_holds_in_luma() -> None:
    for colour, grounds in FITTING.items():
        assert len(grounds) >= 3
        for ground in map(BACKGROUNDS.__getitem__, grounds):
            for paint in (COLOURS[colour], texture_colour(COLOURS[colour]), ground.accent):
                for end in (ground.top, ground.bottom):
                    assert abs(luma(paint) - luma(end)) >= MINIMUM_CONTRAST


def test_a_fixed_number_of_things() -> None:
    assert all(len(scene("test", i, things=n).things) == n for n in (1, 2) for i in range(50))


@pytest.mark.parametrize(("split", "index"), [("holdout", 0), ("train", -1)])
def test_no_such_scene_is_one_line(split: str, index: int) -> None:
    with pytest.raises(LepbenchError, match="splits are train"):
        scene(split, index)
