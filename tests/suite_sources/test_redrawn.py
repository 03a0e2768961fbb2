"""Suites whose sketch is drawn anew: free-hand at each level of abstraction, and other maps than edges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

import lepbench
from lepbench.errors import LepbenchError
from lepbench.sketchworld import freehand
from lepbench.suite_sources.worlds import restore_scene
from lepbench.suites import load_suite

HANDS, EDGES = "sketchworld-freehand-v1", "sketchworld-edges-v1"


def test_a_scene_is_drawn_at_every_level(tmp_path: Path) -> None:
    suite = lepbench.make_suite("freehand", EDGES, tmp_path / "s", items=3, progress=False)
    assert suite.definition.levels == ("0", "1", "2", "3", "4")
    assert suite.definition.truths[-2:] == ("scene", "original")
    assert "strokes" in suite.definition.truths
    for item in suite:
        scene = restore_scene(item.scene)
        assert scene.caption == item.prompt
        drawn = freehand(scene, int(item.level or ""))
        assert np.array_equal(item.strokes > 0, item.sketch)
        if item.level != "0":
            assert np.array_equal(item.sketch, drawn.raster)
        assert len(np.unique(item.strokes[item.strokes > 0])) <= len(drawn.strokes)


def test_a_sketch_of_the_shipped_suite_is_drawn_again(tmp_path: Path) -> None:
    suite = lepbench.make_suite("freehand", HANDS, tmp_path / "s", items=8, progress=False)
    for original in load_suite(HANDS)[:8]:
        level = original.item_id.rpartition("level")[2]
        again = suite[f"{original.item_id}-{level}"]
        assert np.array_equal(again.strokes, original.strokes)


@pytest.mark.parametrize("levels", [(0, 5), (1, 1)])
def test_levels_that_are_not_drawn_are_refused(tmp_path: Path, levels: tuple[int, ...]) -> None:
    with pytest.raises(LepbenchError, match="must be some of 0, 1, 2, 3, 4, each once"):
        lepbench.make_suite("freehand", EDGES, tmp_path / "s", progress=False, levels=levels)


def test_other_maps_are_given_in_the_place_of_the_sketch(tmp_path: Path) -> None:
    suite = lepbench.make_suite("maps", EDGES, tmp_path / "s", items=2, progress=False)
    base = load_suite(EDGES)
    for item in suite:
        assert item.original is not None
        original = base[item.original]
        assert np.array_equal(item.sketch, original.sketch)
        assert original.mask is not None
        inner = ndimage.binary_erosion(np.pad(original.mask, 1, mode="edge"))[1:-1, 1:-1]
        expected = {
            "sketch": original.sketch,
            "contour": original.contour,
            "mask": original.mask,
            "outline": original.mask & ~inner,
        }
        wanted = expected[str(item.level)]
        assert wanted is not None
        assert np.array_equal(item.input, wanted)


def test_maps_need_what_they_show(tmp_path: Path) -> None:
    source = tmp_path / "plain"
    source.mkdir()
    (source / "a.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">'
        '<path d="M5 5L50 50" stroke="black"/></svg>'
    )
    (source / "a.txt").write_text("a line")
    plain = lepbench.make_suite("folder", source, tmp_path / "base", size=64, progress=False)
    for kind, lacking in (("maps", "exact contours"), ("freehand", "the scene of every item")):
        with pytest.raises(LepbenchError, match=f"{kind} needs {lacking}"):
            lepbench.make_suite(kind, plain.folder, tmp_path / kind, progress=False)
