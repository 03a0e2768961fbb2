"""Suites of attributes: items as they are, in which numbers of things, relations and textures take turns."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lepbench
from lepbench.errors import LepbenchError
from lepbench.metrics.attributes import DIRECTIONS
from lepbench.suite_sources.attributes import KEYS, alternate
from lepbench.suites import Suite, load_suite
from lepbench.suites.scenes import KnownScene, KnownThing, read_scene

EDGES = "sketchworld-edges-v1"
TEXTURES = ("plain", "striped", "dotted")
TEXTURED = st.sampled_from([KnownThing("cat", "red", texture) for texture in TEXTURES])
SCENES = st.one_of(
    st.builds(lambda one: KnownScene((one,), "sky", None), TEXTURED),
    st.builds(
        lambda one, other, relation: KnownScene((one, other), "sky", relation),
        TEXTURED,
        TEXTURED,
        st.sampled_from(list(DIRECTIONS)),
    ),
)


@pytest.fixture(scope="module")
def balanced(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    folder = tmp_path_factory.mktemp("attributes") / "s"
    return lepbench.make_suite("attributes", EDGES, folder, items=48, progress=False)


def test_half_of_the_scenes_are_in_a_relation_and_every_relation_is_as_frequent(balanced: Suite) -> None:
    scenes = [read_scene(item.scene) for item in balanced]
    relations = Counter(scene.relation for scene in scenes if scene is not None)
    assert relations.pop(None) == 24
    assert relations == dict.fromkeys(DIRECTIONS, 6)
    textures = Counter(thing.texture for scene in scenes if scene is not None for thing in scene.things)
    # Of the items that come first plain things are half.
    assert all(0.28 * textures.total() < textures[texture] < 0.4 * textures.total() for texture in TEXTURES)


def test_items_are_those_of_the_other_suite_with_seeds_of_their_own(balanced: Suite) -> None:
    base = load_suite(EDGES)
    assert balanced.definition.protocol == "lepbench-attributes-v1"
    assert balanced.definition.default_items == len(balanced) == 48
    for number, item_id in enumerate(balanced.item_ids):
        assert balanced.read_row(number) == base.read_row(base.item_ids.index(item_id))
        assert balanced.seed(item_id, 0) != base.seed(item_id, 0)
    assert set(balanced.definition.truths) == set(base.definition.truths)


@given(st.lists(SCENES, max_size=60))
def test_each_scene_comes_once_and_kinds_take_turns_while_there_are_any(scenes: list[KnownScene]) -> None:
    order = list(alternate(list(enumerate(scenes))))
    assert sorted(order) == list(range(len(scenes)))
    counts = [len(scenes[number].things) for number in order]
    both = 2 * min(counts.count(1), counts.count(2))
    assert all(one != other for one, other in pairwise(counts[:both]))
    for kind in {(len(scene.things), scene.relation) for scene in scenes}:
        textures = [KEYS[2](scenes[n]) for n in order if (len(scenes[n].things), scenes[n].relation) == kind]
        first = len(set(textures))
        assert len(set(textures[:first])) == first


def test_another_seed_takes_other_items(balanced: Suite, tmp_path: Path) -> None:
    other = lepbench.make_suite("attributes", EDGES, tmp_path / "s", items=8, seed=1, progress=False)
    assert set(other.item_ids) != set(balanced.item_ids[:8])


def test_variants_and_suites_without_scenes_are_refused(tmp_path: Path) -> None:
    lepbench.make_suite("maps", EDGES, tmp_path / "maps", items=1, progress=False)
    with pytest.raises(LepbenchError, match="holds variants already; take 'sketchworld-edges-v1' instead"):
        lepbench.make_suite("attributes", tmp_path / "maps", tmp_path / "s", progress=False)
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "a.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">'
        '<path d="M5 5L50 50" stroke="black"/></svg>'
    )
    lepbench.make_suite("svg", tmp_path / "plain", tmp_path / "svg", size=64, progress=False, label="file")
    with pytest.raises(LepbenchError, match=r"attributes needs .* and suite 'svg-1' has none"):
        lepbench.make_suite("attributes", tmp_path / "svg", tmp_path / "s", progress=False)
