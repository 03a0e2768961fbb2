"""Duplicates, leakage and empty maps: what is left out of a set, and that every one is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from picture_folders import jpeg
from PIL import Image
from sketch_corpora import fscoco
from skimage import data

from lepbench.data.build import build_triplets
from lepbench.data.config import BuildConfig
from lepbench.data.read import Triplets
from lepbench.errors import LepbenchError
from lepbench.images import encode_png
from lepbench.sketches import FsCocoCorpus
from lepbench.suite_sources import Drawings, write_suite
from lepbench.suites import load_suite

NAMES = ("astronaut", "coffee", "chelsea", "rocket")


def photograph(name: str) -> np.ndarray:
    return np.asarray(getattr(data, name)())[:250, :250]


def put(folder: Path, name: str, picture: np.ndarray | bytes, caption: str = "a photograph") -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.png").write_bytes(picture if isinstance(picture, bytes) else encode_png(picture))
    (folder / f"{name}.txt").write_text(caption)


def built(
    folder: Path, out: Path, size: int | None = 64, **hygiene: Any
) -> tuple[list[str], dict[str, tuple[str, str]]]:
    """Ids kept, and id -> (reason, detail) of those left out."""
    config = BuildConfig.model_validate(
        {"source": {"name": "folder", "path": folder}, "size": size, "hygiene": hygiene, "shard_rows": 3}
    )
    build_triplets(config, out)
    rejects = [json.loads(line) for line in (out / "rejected.jsonl").read_text().splitlines()]
    return [t.id for t in Triplets(out)], {r["id"]: (r["reason"], r["detail"]) for r in rejects}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for name in NAMES:
        put(folder, name, photograph(name))
    put(folder, "more-astronaut", photograph("astronaut"))
    put(folder, "other-words", photograph("astronaut"), "another caption")
    put(folder, "small-coffee", cv2.resize(photograph("coffee"), (125, 125), interpolation=cv2.INTER_AREA))
    return folder


def test_by_default_the_same_picture_with_the_same_caption_comes_once(photos: Path, tmp_path: Path) -> None:
    kept, left_out = built(photos, tmp_path / "out")
    assert left_out == {"more-astronaut.png": ("duplicate of another row", "astronaut.png")}
    assert kept == sorted([*(f"{n}.png" for n in NAMES), "other-words.png", "small-coffee.png"])


def test_near_duplicates_go_but_captions_of_one_picture_stay(photos: Path, tmp_path: Path) -> None:
    kept, left_out = built(photos, tmp_path / "out", duplicates="near")
    assert left_out["small-coffee.png"] == ("nearly a duplicate of another row", "coffee.png")
    assert "other-words.png" in kept
    assert len(kept) + len(left_out) == 7


def test_all_may_stay(photos: Path, tmp_path: Path) -> None:
    kept, left_out = built(photos, tmp_path / "out", duplicates="keep")
    assert (len(kept), left_out) == (7, {})
    card = (tmp_path / "out" / "README.md").read_text()
    assert "| rows whose original occurs more than once | 3 |" in card
    assert "of 64 bits apart) | 1 |" in card


def test_pictures_of_another_set_stay_out(photos: Path, tmp_path: Path) -> None:
    held_out = tmp_path / "held-out"
    put(held_out, "rocket", photograph("rocket"), "words of its own")
    put(held_out, "cat", cv2.resize(photograph("chelsea"), (300, 300)))
    built(held_out, tmp_path / "test-set")
    kept, left_out = built(photos, tmp_path / "out", exclude=[tmp_path / "test-set"])
    assert left_out["rocket.png"] == ("picture of an excluded set", "the same original as in test-set")
    assert left_out["chelsea.png"] == ("picture of an excluded set", "looks like one in test-set")
    assert not {"rocket.png", "chelsea.png"} & set(kept)
    card = (tmp_path / "out" / "README.md").read_text()
    assert "- `test-set@" in card
    assert str(tmp_path) not in card


def test_pictures_of_a_suite_stay_out_though_they_were_drawn(tmp_path: Path) -> None:
    suite = load_suite("sketchworld-edges-v1")
    every = suite.take(suite.definition.items)
    assert len(every) > suite.definition.default_items
    folder = tmp_path / "photos"
    for name, item in (("first", every[0]), ("last", every[-1])):
        assert item.image is not None
        put(folder, name, item.image)
    put(folder, "rocket", photograph("rocket"))
    kept, left_out = built(folder, tmp_path / "out", exclude=["sketchworld-edges-v1"], distance=0)
    assert kept == ["rocket.png"]
    assert {reason for reason, _ in left_out.values()} == {"picture of an excluded set"}


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(200, 320), (320, 200), (180, 427), (256, 256)])
def test_photographs_of_a_suite_of_drawings_stay_out_whatever_their_shape(
    tmp_path: Path, shape: tuple[int, int]
) -> None:
    folder, scenes = tmp_path / "photos", fscoco(tmp_path / "scenes", users=3, each=2)
    for number, (name, place) in enumerate(zip(NAMES, sorted(scenes.rglob("*.jpg")), strict=False)):
        whole = Image.fromarray(getattr(data, name)()).resize(shape[::-1])
        place.write_bytes(jpeg(whole, quality=90))
        put(folder, f"{number}-leaked", place.read_bytes())
    put(folder, "other", np.asarray(data.camera()))
    corpus = FsCocoCorpus(path=scenes, split="all")
    write_suite(Drawings(name="fscoco", corpus=corpus, items=6, size=128), tmp_path / "s", name="s")
    for size in (64, None):
        kept, left_out = built(folder, tmp_path / f"out-{size}", size=size, exclude=[tmp_path / "s"])
        assert kept == ["other.png"]
        assert {detail for _, detail in left_out.values()} == {"looks like one in s"}


def test_maps_without_edges_and_with_too_many_are_counted(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    put(folder, "blank", np.full((80, 80, 3), 200, np.uint8))
    put(folder, "rocket", photograph("rocket"))
    kept, left_out = built(folder, tmp_path / "out", max_edges=0.3)
    assert (kept, left_out["blank.png"]) == (["rocket.png"], ("too few edges", "0.00000 of the pixels"))
    kept, left_out = built(folder, tmp_path / "out2", min_edges=0, max_edges=0.001)
    assert (kept, left_out["rocket.png"][0]) == (["blank.png"], "too many edges")


def test_pictures_of_a_plain_folder_are_excluded(photos: Path, tmp_path: Path) -> None:
    put(tmp_path / "tested", "cat", photograph("chelsea"))
    kept, left_out = built(photos, tmp_path / "out", exclude=[tmp_path / "tested"])
    everything, _ = built(photos, tmp_path / "all")
    assert set(everything) - set(kept) == {name for name in everything if "chelsea" in name}
    assert {reason for reason, _ in left_out.values()} >= {"picture of an excluded set"}


def test_what_cannot_be_excluded_is_one_line(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for place in (tmp_path / "empty", tmp_path / "nowhere"):
        with pytest.raises(LepbenchError, match="nothing to exclude in"):
            built(photos, tmp_path / "out", exclude=[place])
    put(tmp_path / "torn", "cat", b"no picture")
    with pytest.raises(LepbenchError, match=r"cannot compare with .*cat.* no known format"):
        built(photos, tmp_path / "out", exclude=[tmp_path / "torn"])


@pytest.mark.parametrize("damage", ["gone", "cut", "other columns"])
def test_an_excluded_set_without_one_of_its_shards_is_one_line(
    photos: Path, tmp_path: Path, damage: str
) -> None:
    built(photos, tmp_path / "test-set")
    shard = sorted((tmp_path / "test-set" / "data").iterdir())[1]
    if damage == "gone":
        shard.unlink()
    elif damage == "cut":
        shard.write_bytes(shard.read_bytes()[:500])
    else:
        pq.write_table(pa.table({"id": ["a"]}), shard)
    with pytest.raises(LepbenchError, match=r"cannot compare with .*test-set: .+; build that set") as caught:
        built(photos, tmp_path / "out", exclude=[tmp_path / "test-set"])
    assert "\n" not in str(caught.value)
    assert damage != "gone" or f"it lacks data/{shard.name};" in str(caught.value)
