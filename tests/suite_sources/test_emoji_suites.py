"""Suites of emoji: bytes that ship come out again, and lines are another person's than the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lepbench.detectors import Canny
from lepbench.emoji import load_emoji
from lepbench.errors import LepbenchError
from lepbench.progress import ignore_progress
from lepbench.strokes import rasterise
from lepbench.suite_sources import write_suite
from lepbench.suite_sources.emoji import EmojiSuite
from lepbench.suite_sources.rebuild import rebuild_suite
from lepbench.suites import Suite, load_suite


@pytest.mark.parametrize("name", ["emoji-edges-v1", "emoji-lines-v1"])
def test_a_shipped_suite_is_what_its_recipe_makes(name: str, tmp_path: Path) -> None:
    assert rebuild_suite(name, tmp_path / "again", ignore_progress) == load_suite(name).definition


def test_edge_items_are_held_out_pictures_and_their_maps() -> None:
    suite, table = load_suite("emoji-edges-v1"), load_emoji()
    detector = Canny(low=0.3, high=0.6)
    for item in suite.items(20):
        row = table.rows["id"].index(item.item_id)
        assert table.rows["split"][row] == "pairs"
        assert (item.prompt, item.label) == (table.rows["caption"][row], table.rows["subject"][row])
        assert item.image is not None
        assert np.array_equal(item.image, table.pixels[row])
        assert np.array_equal(item.sketch, detector.of_pixels(table.pixels[row][None])[0])


def test_line_items_have_openmojis_lines_and_another_sets_picture() -> None:
    suite, table = load_suite("emoji-lines-v1"), load_emoji()
    for item in suite.items(20):
        style, code = item.item_id.split("-", 1)
        assert style != "openmoji"
        lines = table.lines(table.rows["id"].index(f"openmoji-{code}"))
        assert lines is not None
        assert np.array_equal(item.sketch, rasterise(lines, 64))
        assert item.prompt.endswith(f"in the style of {style}")


def test_a_choice_of_sets_and_groups_is_a_suite(tmp_path: Path) -> None:
    source = EmojiSuite(split="subjects", sets=("noto",), groups=("animals-nature",), items=3)
    write_suite(source, tmp_path / "few")
    found = Suite(tmp_path / "few")
    assert [item.item_id.split("-")[0] for item in found.items(3)] == ["noto"] * 3


def test_a_suite_without_a_recipe_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match="no suite recipe 'emoji-edge-v1'"):
        rebuild_suite("emoji-edge-v1", tmp_path / "none", ignore_progress)
