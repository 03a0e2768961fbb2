"""A suite is a sequence of its items, a table, and something to look at."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lepbench.detectors import Canny, Sobel
from lepbench.errors import LepbenchError
from lepbench.suite_sources.sketchworld import SuiteRecipe, make_suite
from lepbench.suites import Suite


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    recipe = SuiteRecipe(
        name="six",
        description="a few scenes",
        items=6,
        default_items=4,
        detector=Canny(low=0.3, high=0.6),
        contour_detector=Sobel(),
    )
    folder = tmp_path_factory.mktemp("suite") / "six"
    make_suite(recipe, folder)
    return Suite(folder)


def test_it_is_a_sequence(suite: Suite) -> None:
    assert isinstance(suite, Sequence)
    assert len(suite) == len(list(suite)) == 6
    ids = [item.item_id for item in suite]
    assert len(set(ids)) == 6
    assert suite[-1] is suite[5] is suite[np.int64(5)] is suite[ids[5]]  # type: ignore[call-overload]
    assert [item.item_id for item in suite[1:5:2]] == [ids[1], ids[3]]
    assert [item.item_id for item in reversed(suite)] == ids[::-1]
    assert suite.index(suite[2]) == 2
    assert suite.count(suite[2]) == 1
    assert tuple(suite.items(3)) == tuple(suite[:3])
    assert len(suite.items()) == 4


def test_it_contains_its_items_and_their_ids(suite: Suite) -> None:
    again = Suite(suite.folder)
    assert suite[3] in suite
    assert suite[3] in again
    things: list[object] = [again[3].item_id]
    assert all(thing in suite for thing in things)
    other = again[3].__class__(**{**again[3].__dict__, "prompt": "something else"})
    assert other not in suite
    strangers: list[object] = ["six", 3, None]
    assert all(thing not in suite for thing in strangers)


def test_what_it_does_not_have_is_said(suite: Suite) -> None:
    for index in (6, -7):
        with pytest.raises(IndexError, match=f"item {index} of 6 in suite 'six'"):
            suite[index]
    near = suite[0].item_id[:-1]
    with pytest.raises(LepbenchError, match=f"suite 'six' has no item '{near}'; did you mean"):
        suite[near]
    with pytest.raises(LepbenchError, match=r"has no item 'fish'; to_frame\(\) lists them"):
        suite["fish"]
    with pytest.raises(LepbenchError, match="holds 6 items, not 7; give a limit of 1 to 6"):
        suite.items(7)


def test_its_table_has_a_line_an_item(suite: Suite) -> None:
    frame = suite.to_frame()
    assert list(frame.index) == [item.item_id for item in suite]
    for item in suite:
        line = frame.loc[item.item_id]
        assert line["prompt"] == item.prompt
        assert pd.isna(line["label"]) if item.label is None else line["label"] == item.label
        assert line["stroke_pixels"] == np.count_nonzero(item.sketch)
        assert line["has_picture"]


def test_it_is_one_line_at_the_prompt_and_a_picture_in_a_notebook(suite: Suite, tmp_path: Path) -> None:
    item = suite[0]
    assert repr(suite) == "Suite('six', 6 items, 64 px)"
    assert repr(item) == f"Item(item_id={item.item_id!r}, prompt={item.prompt!r})"
    shown = np.asarray(Image.open(io.BytesIO(item._repr_png_())))
    assert shown.shape == (192 + 16, 2 * 192 + 24, 3)
    # Sketch and picture, each pixel three by three, the sketch black on white.
    sketch, picture = shown[9:200:3, 9:200:3], shown[9:200:3, 209:400:3]
    assert np.array_equal(sketch.any(axis=2), ~item.sketch)
    assert item.image is not None
    assert np.array_equal(picture, item.image)
