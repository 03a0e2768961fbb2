"""`lepbench suite rebuild` as a person runs it."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import call_command

from lepbench.cli.suite_make import describe_fewer
from lepbench.detectors import Canny, Sobel
from lepbench.suite_sources.sketchworld import RECIPES, SuiteRecipe, make_suite
from lepbench.suites import Suite


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch) -> SuiteRecipe:
    """A recipe of a few items, by its name."""
    few = SuiteRecipe(
        name="few-v1",
        description="a few scenes",
        items=3,
        default_items=2,
        detector=Canny(low=0.3, high=0.6),
        contour_detector=Sobel(),
    )
    monkeypatch.setattr(RECIPES, "_entries", {**RECIPES._entries, few.name: few})
    return few


def rebuild(monkeypatch: pytest.MonkeyPatch, name: str, out: Path) -> int:
    return call_command(monkeypatch, "suite", "rebuild", name, "--out", out)


def test_a_suite_is_made_anew_as_its_recipe_says(
    recipe: SuiteRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_suite(recipe, tmp_path / "known")
    out = tmp_path / "again"
    assert rebuild(monkeypatch, recipe.name, out) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{out}\n"
    assert f"3 items of {Suite(out).definition.drawn.considered} candidates; left out: " in printed.err
    for name in ("suite.yaml", "items.parquet"):
        assert (out / name).read_bytes() == (tmp_path / "known" / name).read_bytes()


def test_a_corpus_of_fewer_items_than_were_asked_for_is_said(recipe: SuiteRecipe, tmp_path: Path) -> None:
    make_suite(recipe, tmp_path / "known")
    assert describe_fewer(tmp_path / "known", 100_000) == "note: 100,000 items were asked for, 3 found"
    assert [describe_fewer(tmp_path / "known", asked) for asked in (3, None)] == ["", ""]


def test_an_unknown_suite_and_a_folder_that_holds_files_are_one_line(
    recipe: SuiteRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rebuild(monkeypatch, "few-v2", tmp_path / "out") == 2
    assert capsys.readouterr().err.startswith("lepbench: no suite recipe 'few-v2'; did you mean 'few-v1'")
    (tmp_path / "mine.txt").write_text("kept")
    assert rebuild(monkeypatch, recipe.name, tmp_path) == 2
    assert "is not empty; choose another --out" in capsys.readouterr().err
