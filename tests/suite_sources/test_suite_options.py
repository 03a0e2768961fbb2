"""`lepbench suite make` and `lepbench.make_suite`: options of every corpus, and those of another refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from click.testing import CliRunner
from PIL import Image
from sketch_corpora import fscoco, quickdraw

import lepbench
from lepbench.cli.suite import command
from lepbench.errors import LepbenchError
from lepbench.images import read_pixels
from lepbench.sketches import SKETCHES, QuickDraw
from lepbench.suite_sources import SUITE_SOURCES
from lepbench.suites import Suite


def run(*arguments: object) -> Any:
    return CliRunner().invoke(command, [str(part) for part in arguments], catch_exceptions=False)


@pytest.fixture
def doodles(tmp_path: Path) -> Path:
    return quickdraw(tmp_path / "qd")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["quickdraw", "{qd}", "--detector", "canny"], "quickdraw takes no --detector; leave it out"),
        (["quickdraw", "{qd}", "--exclude", "x"], "quickdraw takes no --exclude"),
        (["quickdraw", "{qd}", "--device", "cpu"], "quickdraw takes no --device"),
        (["triplets", "{qd}", "--device", "gpu"], "device must be 'auto', 'cpu' or 'cuda'"),
        (["folder", "{qd}", "--prompt", "a {{label}}"], "folder takes no --prompt"),
        (["triplets", "{qd}", "--prompt", "a {{label}}"], "triplets takes no --prompt"),
        (["triplets", "{qd}", "--set", "caption=frist"], "caption"),
        (["triplets", "{qd}", "--set", "captoin=first"], "unknown key 'captoin'; did you mean 'caption'"),
        (["triplets", "{qd}", "--set", "size=3"], "--set size is no setting of triplets; give --size"),
        (["triplets", "{qd}", "--detector", "cany"], "did you mean 'canny'"),
        (["triplets", "{qd}", "--detector-set", "low=0.3"], "sets nothing without --detector"),
        (["triplets", "{qd}", "--detector", "canny", "--detector-set", "lo=1"], "unknown key 'detector.lo'"),
        (["triplets"], "triplets needs a PATH"),
        (["quickdraw"], "quickdraw needs a PATH"),
        (["quickdraw", "{qd}", "--items", "0"], "items"),
        (["quickdraw", "{qd}", "--name", "a/b"], "'a/b' is no name of a suite"),
        (["triplet", "{qd}"], "unknown corpus 'triplet'; did you mean 'triplets'"),
    ],
    ids=lambda value: " ".join(value).replace("{qd}", "PATH") if isinstance(value, list) else "",
)
def test_an_option_that_does_not_fit_is_one_line(
    tmp_path: Path, doodles: Path, arguments: list[str], message: str
) -> None:
    filled = [part.format(qd=doodles) for part in arguments]
    with pytest.raises(LepbenchError) as caught:
        run("make", *filled, "--out", tmp_path / "out")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_the_name_is_declared_and_not_the_folders(tmp_path: Path, doodles: Path) -> None:
    printed = run("make", "quickdraw", doodles, "--out", tmp_path / "some", "--size", 64).output
    assert "suite quickdraw-8: 8 items of 8 candidates; left out: 0" in printed
    run("make", "quickdraw", doodles, "--out", tmp_path / "other", "--size", 64, "--name", "mine-v1")
    one, other = Suite(tmp_path / "some"), Suite(tmp_path / "other")
    assert (one.name, other.name) == ("quickdraw-8", "mine-v1")
    first = one[0]
    moved = (tmp_path / "some").rename(tmp_path / "moved")
    assert Suite(moved).seed(first, 0) == one.seed(first, 0) != other.seed(first, 0)


def test_fewer_than_the_default_are_a_suite_and_fewer_than_asked_for_are_not(
    tmp_path: Path, doodles: Path
) -> None:
    assert len(lepbench.make_suite("quickdraw", doodles, tmp_path / "all", size=64, progress=False)) == 8
    with pytest.raises(LepbenchError, match="only 8 of 8 can be used; lower --items"):
        lepbench.make_suite("quickdraw", doodles, tmp_path / "more", items=9, size=64, progress=False)


def test_the_function_and_the_command_make_the_same_bytes(tmp_path: Path, doodles: Path) -> None:
    run("make", "quickdraw", doodles, "--out", tmp_path / "a", "--items", 4, "--size", 64, "--seed", 3)
    options: dict[str, Any] = {"items": 4, "size": 64, "seed": 3, "progress": False}
    made = lepbench.make_suite("quickdraw", str(doodles), tmp_path / "b", **options)
    assert made.sha256 == Suite(tmp_path / "a").sha256
    with pytest.raises(LepbenchError, match="unknown key 'recognised_only'; did you mean 'recognized_only'"):
        lepbench.make_suite("quickdraw", doodles, tmp_path / "c", recognised_only=True)


def test_photographs_with_drawings_keep_captions_and_say_what_they_hold(tmp_path: Path) -> None:
    place = fscoco(tmp_path / "fs")
    suite = lepbench.make_suite("fscoco", place, tmp_path / "s", size=64, split="all", progress=False)
    assert suite.definition.truths == ("picture", "strokes")
    assert suite[0].prompt.startswith("a scene of")


def test_a_sketch_corpus_from_outside_needs_no_source_and_names_its_protocol(
    tmp_path: Path, doodles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Mine(QuickDraw):
        protocol: ClassVar[str | None] = "mine-v1"
        name: Literal["mine"] = "mine"  # type: ignore[assignment]

    monkeypatch.setattr(SKETCHES, "_entries", {**SKETCHES._entries, "mine": Mine})
    assert "mine" not in SUITE_SOURCES
    suite = lepbench.make_suite("mine", doodles, tmp_path / "s", size=64, progress=False)
    assert (suite.name, suite.definition.protocol) == ("mine-8", "mine-v1")


def test_a_suite_is_shown_as_text_json_and_a_sheet(tmp_path: Path, doodles: Path) -> None:
    lepbench.make_suite("quickdraw", doodles, tmp_path / "s", size=64, progress=False)
    text = run("show", tmp_path / "s").output
    for line in (
        "suite     quickdraw-8",
        "truths    strokes, label",
        "classes   4 cat, 4 ice cream",
        "licence   CC-BY-4.0",
        "left out  0",
    ):
        assert line in text
    assert len(re.findall("a photo of a", text)) == 5
    printed = json.loads(run("show", tmp_path / "s", "--sheet", tmp_path / "sheet.png", "--json").output)
    assert printed["truths"] == ["strokes", "label"]
    assert printed["sha256"] == Suite(tmp_path / "s").sha256
    with Image.open(printed["sheet"]) as sheet:
        assert sheet.height > 200
    photos = fscoco(tmp_path / "fs", users=3)
    lepbench.make_suite("fscoco", photos, tmp_path / "p", size=64, split="all", progress=False)
    run("show", tmp_path / "p", "--sheet", tmp_path / "pairs.png")
    with Image.open(tmp_path / "pairs.png") as pairs, Image.open(tmp_path / "sheet.png") as singles:
        assert pairs.width > singles.width
    assert "sketchworld-edges-v1" in run("show", "sketchworld-edges-v1").output


def test_an_export_has_negative_prompts_where_there_are_any(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    Image.new("L", (64, 64), 255).save(folder / "a.png")
    paper = Image.open(folder / "a.png")
    paper.paste(0, (10, 10, 50, 12))
    paper.save(folder / "a.png")
    (folder / "prompts.csv").write_text("sketch,prompt,negative_prompt\na.png,one,blur\na.png,two,\n")
    lepbench.make_suite("folder", folder, tmp_path / "s", size=64, progress=False)
    run("export", tmp_path / "s", "--out", tmp_path / "e", "--samples-per-item", 2)
    header, *lines = (tmp_path / "e" / "prompts.csv").read_text().splitlines()
    assert header == "file,item_id,sample_index,prompt,sketch,seed,negative_prompt"
    assert sorted(line.split(",")[3] + line.split(",")[-1] for line in lines) == ["oneblur"] * 2 + ["two"] * 2
    assert "negative_prompt" in (tmp_path / "e" / "README.md").read_text()
    (sketch,) = {(tmp_path / "e" / line.split(",")[4]).read_bytes() for line in lines}
    assert read_pixels(sketch).any()
