"""Suites of disturbed sketches: what a method gets, what pictures are compared with, and what moves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

import lepbench
from lepbench.errors import LepbenchError
from lepbench.evaluation.sample import Sample
from lepbench.suite_sources.disturbances import (
    RANGES,
    Disturbance,
    choose_direction,
    disturb_sketch,
    move_map,
    parse_disturbance,
)
from lepbench.suites import Item, Suite, load_suite

HANDS = "sketchworld-freehand-v1"
POSITIONS = st.integers(0, 63)


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    return lepbench.make_suite(
        "robust", HANDS, tmp_path_factory.mktemp("s") / "robust", items=2, progress=False
    )


def by_level(suite: Suite) -> dict[str, Item]:
    return {str(item.level): item for item in suite[: len(suite.definition.levels)]}


def test_a_method_gets_the_disturbed_sketch_and_is_held_against_the_other(suite: Suite) -> None:
    original = load_suite(HANDS)[0]
    found = by_level(suite)
    assert list(found) == ["none", "width-3", "inverted", "jpeg-10", "gaps-0.3", "shift-6", "scale-0.7"]
    for position, (level, item) in enumerate(found.items()):
        asked = Sample(suite, position, 0).request.sketch
        assert np.array_equal(asked, item.input)
        moved = level.startswith(("shift", "scale"))
        assert np.array_equal(item.sketch, original.sketch) != moved
        assert np.array_equal(asked, original.sketch) == (level == "none")
        assert item.prompt == original.prompt
    assert np.array_equal(found["inverted"].input, ~original.sketch)


def test_all_that_is_known_moves_with_the_sketch(suite: Suite) -> None:
    original, found = load_suite(HANDS)[0], by_level(suite)
    direction = choose_direction(original.sketch)
    shifted = found["shift-6"]
    for name in ("sketch", "mask", "contour", "strokes", "image"):
        before, after = getattr(original, name), getattr(shifted, name)
        kept = slice(6, None) if direction > 0 else slice(None, -6)
        came = slice(None, -6) if direction > 0 else slice(6, None)
        assert np.array_equal(after[:, kept], before[:, came]), name
    small = found["scale-0.7"]
    assert small.mask is not None
    assert original.mask is not None
    assert small.mask.sum() / original.mask.sum() == pytest.approx(0.49, rel=0.1)
    # The thing is where its mask is: its background is not.
    assert np.abs(ndimage.center_of_mass(small.mask) - np.array(31.5)) == pytest.approx(
        0.7 * np.abs(ndimage.center_of_mass(original.mask) - np.array(31.5)), abs=0.5
    )


@settings(max_examples=15)
@given(POSITIONS, st.floats(0.3, 1))
def test_a_smaller_line_stays_whole(position: int, factor: float) -> None:
    sketch = load_suite(HANDS)[position].sketch
    small = move_map(sketch, Disturbance("scale", factor), 1)
    whole = np.ones((3, 3))
    assert ndimage.label(small, whole)[1] <= ndimage.label(sketch, whole)[1]
    assert small.any()


@settings(max_examples=15)
@given(POSITIONS, st.floats(0, 0.9), st.integers(0, 99))
def test_gaps_take_the_share_away_and_nothing_else(position: int, share: float, seed: int) -> None:
    sketch = load_suite(HANDS)[position].sketch
    broken = disturb_sketch(sketch, Disturbance("gaps", share), seed)
    assert not (broken & ~sketch).any()
    gone = 1 - broken.sum() / sketch.sum()
    # A gap is five pixels wide, and lines may cross in it.
    assert share - 1e-9 <= gone <= share + 40 / sketch.sum()


@settings(max_examples=10)
@given(POSITIONS)
def test_files_are_read_whatever_their_polarity(position: int) -> None:
    sketch = load_suite(HANDS)[position].sketch
    assert np.array_equal(disturb_sketch(sketch, Disturbance("white-on-black", 0), 0), sketch)
    fine = disturb_sketch(sketch, Disturbance("jpeg", 95), 0)
    assert (fine & sketch).sum() / (fine | sketch).sum() > 0.9


def test_a_wide_pen_covers_a_disc() -> None:
    sketch = np.zeros((32, 32), bool)
    sketch[16, 16] = True
    wide = disturb_sketch(sketch, Disturbance("width", 5), 0)
    assert wide.any(axis=0).sum() == wide.any(axis=1).sum() == 5
    assert np.array_equal(disturb_sketch(sketch, Disturbance("width", 1), 0), sketch)


@pytest.mark.parametrize("kind", list(RANGES))
def test_every_kind_says_what_it_takes(kind: str) -> None:
    limits = RANGES[kind]
    good, bad = (kind, f"{kind}-1") if limits is None else (f"{kind}-{limits[1]:g}", kind)
    assert parse_disturbance(good).kind == kind
    with pytest.raises(ValueError, match=r"write .* alone|with a number from|there are none"):
        parse_disturbance(bad)


def test_an_unknown_change_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match="'blur-3' is no change of a sketch; there are none") as caught:
        lepbench.make_suite("robust", HANDS, tmp_path / "s", progress=False, changes=["blur-3"])
    assert "\n" not in str(caught.value)
    with pytest.raises(LepbenchError, match=r"jpeg-10 and jpeg-10\.0 are one change"):
        lepbench.make_suite("robust", HANDS, tmp_path / "s", progress=False, changes=["jpeg-10", "jpeg-10.0"])


def test_a_sketch_that_is_moved_out_of_the_picture_is_left_out(tmp_path: Path) -> None:
    with pytest.raises(LepbenchError):
        lepbench.make_suite("robust", HANDS, tmp_path / "s", progress=False, items=2, changes=["shift-100"])
    assert "after shift-100" in (tmp_path / "s" / "rejected.jsonl").read_text()
