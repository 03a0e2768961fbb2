"""Suites: frozen bytes, fair order, and sketches that show the silhouette."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lepbench.detectors import Canny, Sobel, select_detector
from lepbench.errors import LepbenchError
from lepbench.images import to_tensor
from lepbench.sketchworld import render, scene
from lepbench.suite_sources.sketchworld import RECIPES, SuiteRecipe, make_suite, silhouette_recall
from lepbench.suites import Suite, freeze, load_suite
from lepbench.suites.freeze import freeze_suite

maps = arrays(np.bool_, (7, 9), elements=st.booleans())


@pytest.fixture(scope="module")
def recipe() -> SuiteRecipe:
    return SuiteRecipe(
        name="few",
        description="a few scenes",
        items=9,
        default_items=4,
        first_index=20,
        detector=Canny(low=0.3, high=0.6),
        contour_detector=Sobel(),
    )


@pytest.fixture(scope="module")
def folder(recipe: SuiteRecipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("suite") / "few"
    make_suite(recipe, folder)
    return folder


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(maps, maps)
def test_silhouette_recall_is_that_of_a_pixel_by_pixel_count(sketch: np.ndarray, mask: np.ndarray) -> None:
    height, width = mask.shape
    inside = [(y, x) for y in range(height) for x in range(width)]

    def on_outline(y: int, x: int) -> bool:
        beside = [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]
        return bool(mask[y, x]) and any(not mask[p] for p in beside if p in inside)

    outline = [p for p in inside if on_outline(*p)]
    strokes = [p for p in inside if sketch[p]]
    found = sum(any((y - v) ** 2 + (x - u) ** 2 <= 1 for v, u in strokes) for y, x in outline)
    expected = found / len(outline) if outline else 1.0
    assert silhouette_recall(sketch, mask[None]) == pytest.approx(expected)


def test_items_are_what_the_world_shows(folder: Path, recipe: SuiteRecipe) -> None:
    suite = Suite(folder)
    detector = select_detector(suite.definition.detector)
    for item in suite.items(9):
        index = json.loads(item.scene)["index"]
        drawn = render(scene("test", index))
        assert item.item_id == scene("test", index).id
        assert item.prompt == scene("test", index).caption
        assert item.image is not None
        assert item.mask is not None
        assert item.contour is not None
        assert np.array_equal(item.image, drawn.image)
        assert np.array_equal(item.mask, drawn.masks.any(axis=0))
        assert np.array_equal(item.contour, drawn.contours)
        assert np.array_equal(item.sketch, detector(to_tensor(item.image.copy())[None])[0].numpy())
        assert silhouette_recall(item.sketch, drawn.masks) >= 0.95


def test_what_was_left_out_is_counted(folder: Path) -> None:
    drawn = Suite(folder).definition.drawn
    taken = {json.loads(item.scene)["index"] for item in Suite(folder).items(9)}
    looked_at = range(drawn.first_index, drawn.first_index + drawn.considered)
    assert taken <= set(looked_at)
    assert sum(drawn.left_out.values()) == drawn.considered - len(taken)
    detector = select_detector(Suite(folder).definition.detector)
    for index in set(looked_at) - taken:
        drawing = render(scene("test", index))
        sketch = detector(to_tensor(drawing.image)[None])[0].numpy()
        assert silhouette_recall(sketch, drawing.masks) < 0.95


def test_making_again_gives_the_same_bytes(folder: Path, recipe: SuiteRecipe, tmp_path: Path) -> None:
    make_suite(recipe, tmp_path / "again")
    for name in ("suite.yaml", "items.parquet"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()
    assert Suite(tmp_path / "again").sha256 == Suite(folder).sha256


def test_the_order_is_shuffled_and_the_front_is_the_default(folder: Path) -> None:
    suite = Suite(folder)
    identifiers = [item.item_id for item in suite.items(9)]
    assert identifiers != sorted(identifiers)
    assert [item.item_id for item in suite.items()] == identifiers[:4]


def test_the_successor_is_the_next_other_prompt_whatever_the_limit(folder: Path) -> None:
    suite = Suite(folder)
    items = suite.items(9)
    for item, following in zip(items, [*items[1:], items[0]], strict=True):
        assert suite.successor(item).prompt != item.prompt
        if following.prompt != item.prompt:
            assert suite.successor(item).item_id == following.item_id


def test_the_successor_skips_items_of_the_same_prompt(folder: Path, tmp_path: Path) -> None:
    rows = pq.read_table(folder / "items.parquet").to_pylist()
    rows[1]["prompt"] = rows[0]["prompt"]
    about = Suite(folder).definition.model_dump(exclude={"items", "items_sha256"})
    freeze_suite(tmp_path, rows, **about)
    suite = Suite(tmp_path)
    assert suite.successor(suite[0]).item_id == suite[2].item_id


def test_items_are_read_by_row_group(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pq.read_table(folder / "items.parquet").to_pylist()
    about = Suite(folder).definition.model_dump(exclude={"items", "items_sha256"})
    monkeypatch.setattr(freeze, "GROUP", 1)
    monkeypatch.setattr(freeze, "LEAST_ROWS", 2)
    freeze_suite(tmp_path, rows, **about)
    assert pq.read_metadata(tmp_path / "items.parquet").num_row_groups == 5
    whole, parted = Suite(folder), Suite(tmp_path)
    for number in (8, 0, 3, 8, 1):
        assert parted[number].item_id == whole[number].item_id
        assert np.array_equal(parted[number].sketch, whole[number].sketch)
    assert [item.item_id for item in parted] == whole.item_ids


@pytest.mark.parametrize("limit", [0, -1, 10])
def test_a_limit_beyond_the_list_is_refused(folder: Path, limit: int) -> None:
    with pytest.raises(LepbenchError, match="holds 9 items"):
        Suite(folder).items(limit)


def test_other_items_than_the_definition_names_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_bytes((folder / "suite.yaml").read_bytes())
    with pytest.raises(LepbenchError, match=r"has no .*items\.parquet"):
        Suite(tmp_path)
    (tmp_path / "items.parquet").write_bytes((folder / "items.parquet").read_bytes() + b"x")
    with pytest.raises(LepbenchError, match="not the list"):
        Suite(tmp_path)


def test_a_suite_is_found_by_name_or_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lepbench.suites.suite.SUITES", folder.parent)
    assert load_suite("few").sha256 == load_suite(folder).sha256
    with pytest.raises(LepbenchError, match="did you mean 'few'"):
        load_suite("fewer")


def test_the_recipe_that_ships_has_two_kinds_of_detectors() -> None:
    recipe = RECIPES.get("sketchworld-edges-v1")
    assert (recipe.items, recipe.default_items, recipe.size) == (512, 64, 64)
    assert type(recipe.detector) is not type(recipe.contour_detector)


def test_a_folder_without_a_definition_is_no_suite(tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match=r"is no suite: it holds no suite\.yaml"):
        load_suite(tmp_path)
    with pytest.raises(LepbenchError, match="or give a suite's folder"):
        load_suite("photographs-of-mine")
