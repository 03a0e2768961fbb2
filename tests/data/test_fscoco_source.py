"""FS-COCO's photographs and captions as triplets, whole users on one side."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageDraw
from pydantic import ValidationError
from sketch_corpora import fscoco, jpeg, lines_of

from lepbench.data.build import build_triplets
from lepbench.data.config import BuildConfig
from lepbench.data.corpus import Reason, Rejected
from lepbench.data.read import Triplets
from lepbench.data.sources import FsCocoSource
from lepbench.sketches import FsCocoCorpus
from lepbench.suite_sources import Drawings, write_suite
from lepbench.suites import Suite


def test_entries_are_photographs_with_their_captions(tmp_path: Path) -> None:
    corpus = pickle.loads(pickle.dumps(FsCocoSource(path=fscoco(tmp_path), split="all").open(64, None)))
    assert corpus.count == 20
    for number in (19, 0, 7):
        user, index = divmod(number, 2)
        entry = corpus.entry(number)
        original = entry.load()
        assert entry.id == f"{user}/{user:04d}{index}"
        assert original.picture == jpeg(320, 256, 10 * user + index)
        assert original.caption.split() == f"a scene of {user} number {index}".split()
    assert FsCocoSource(path=tmp_path, split="all").open(64, 3).count == 3


def test_no_user_is_in_a_build_and_in_the_other_sides_suite(tmp_path: Path) -> None:
    path = fscoco(tmp_path, users=30, each=1)
    corpus = FsCocoSource(path=path).open(64, None)
    built = {corpus.entry(number).id for number in range(corpus.count)}
    drawn = {name.id for name in FsCocoCorpus(path=path).open().names()}
    assert built
    assert drawn
    assert not {i.partition("/")[0] for i in built} & {i.partition("/")[0] for i in drawn}
    assert len(built | drawn) == 30


@pytest.mark.parametrize(
    ("kind", "content", "reason"),
    [
        ("text", None, Reason.NO_CAPTION),
        ("images", None, Reason.MISSING_FILE),
        ("images", b"", Reason.EMPTY_FILE),
    ],
)
def test_what_an_entry_is_turned_away_for(
    tmp_path: Path, kind: str, content: bytes | None, reason: Reason
) -> None:
    (file,) = (fscoco(tmp_path, users=1, each=1) / kind).rglob("*.*")
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Rejected) as caught:
        FsCocoSource(path=tmp_path, split="all").open(64, None).entry(0).load()
    assert caught.value.reason is reason


def test_a_caption_beyond_the_folder_is_read_by_neither_build_nor_fingerprint(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    source = FsCocoSource(path=fscoco(tmp_path / "fs", users=1, each=1), split="all")
    (caption,) = (source.path / "text").rglob("*.txt")
    caption.unlink()
    caption.symlink_to(secret)
    with pytest.raises(Rejected) as caught:
        source.open(64, None).entry(0).load()
    assert caught.value.reason is Reason.OUTSIDE
    first = source.open(64, None).recipe()
    secret.write_text("another")
    assert source.open(64, None).recipe() == first


def test_a_change_of_a_caption_changes_the_recipe(tmp_path: Path) -> None:
    def recipe() -> str:
        return json.dumps(FsCocoSource(path=tmp_path, split="all").open(64, None).recipe())

    fscoco(tmp_path, users=2)
    first = recipe()
    assert str(tmp_path) not in first
    assert recipe() == first
    next((tmp_path / "text").rglob("*.txt")).write_text("another")
    assert recipe() != first


def test_it_builds(tmp_path: Path) -> None:
    source = {"name": "fscoco", "path": str(fscoco(tmp_path / "fs", users=2)), "split": "all"}
    build_triplets(BuildConfig(source=source, size=64), tmp_path / "out")
    (shard,) = (tmp_path / "out" / "data").glob("*.parquet")
    assert pq.read_table(shard, columns=["text"])["text"].to_pylist()[0] == "a scene of 0 number 0"


def test_the_maps_may_be_what_people_drew(tmp_path: Path) -> None:
    path = fscoco(tmp_path / "fs", users=2)
    config = {"source": {"name": "fscoco", "path": path, "split": "all"}, "edges": "drawn", "size": 64}
    build_triplets(BuildConfig.model_validate(config), tmp_path / "out")
    triplets = Triplets(tmp_path / "out")
    assert len(triplets) == 4
    for number, triplet in enumerate(triplets):
        user, index = divmod(number, 2)
        assert triplet.id == f"{user}/{user:04d}{index}"
        # The centre square of 320 x 256, at a quarter.
        canvas = Image.new("1", (64, 64))
        for line in lines_of(10 * user + index):
            ImageDraw.Draw(canvas).line([((x - 32) / 4 - 0.5, y / 4 - 0.5) for x, y in line], fill=1)
        expected = np.asarray(canvas)
        near = cv2.dilate(expected.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
        assert triplet.edges.dtype == np.bool_
        assert not (triplet.edges & ~near).any()
        assert abs(int(triplet.edges.sum()) - int(expected.sum())) < 0.2 * expected.sum()
    rows = pq.read_table(next((tmp_path / "out" / "data").iterdir())).to_pylist()
    assert {row["detector"] for row in rows} == {"drawn by people"}
    assert "| edges | drawn by people |" in (tmp_path / "out" / "README.md").read_text()


def test_a_suite_and_a_build_show_the_same_sketches(tmp_path: Path) -> None:
    path = fscoco(tmp_path / "fs", users=3)
    corpus = FsCocoCorpus(path=path, split="all")
    write_suite(Drawings(name="fscoco", corpus=corpus, items=6, size=64), tmp_path / "drawn")
    config = {"source": {"name": "fscoco", "path": path, "split": "all"}, "edges": "drawn", "size": 64}
    build_triplets(BuildConfig.model_validate(config), tmp_path / "out")
    built = {triplet.text: triplet.edges for triplet in Triplets(tmp_path / "out")}
    items = Suite(tmp_path / "drawn").items(6)
    assert {item.prompt for item in items} == set(built)
    assert all(np.array_equal(item.sketch, built[item.prompt]) for item in items)


def test_a_sketch_that_cannot_be_read_is_missed_only_where_it_is_asked_for(tmp_path: Path) -> None:
    path = fscoco(tmp_path / "fs", users=2)
    first, second, *_ = sorted((path / "vector_sketches").rglob("*.npy"))
    first.write_bytes(b"no numbers")
    second.unlink()
    second.symlink_to("/etc/passwd")
    source = {"name": "fscoco", "path": path, "split": "all"}
    for edges, written in (("drawn", 2), ("binary", 4)):
        config = {"source": source, "edges": edges, "size": 64, "hygiene": {"max_edges": 1}}
        out = tmp_path / edges
        assert build_triplets(BuildConfig.model_validate(config), out).manifest.written == written
        rejects = [json.loads(line) for line in (out / "rejected.jsonl").read_text().splitlines()]
        assert [one["reason"] for one in rejects] == ["no sketch"] * (4 - written)
        assert all(one["detail"] for one in rejects)


def test_a_sketch_that_was_mended_is_read_again(tmp_path: Path) -> None:
    path = fscoco(tmp_path / "fs", users=2)
    config = BuildConfig.model_validate(
        {"source": {"name": "fscoco", "path": path, "split": "all"}, "edges": "drawn", "size": 64}
    )
    build_triplets(config, tmp_path / "out")
    sketches = sorted((path / "vector_sketches").rglob("*.npy"))
    sketches[1].write_bytes(sketches[0].read_bytes())
    again = build_triplets(config, tmp_path / "out", retry=True)
    assert again.manifest.sha256 == build_triplets(config, tmp_path / "fresh").manifest.sha256
    first, second, *_ = Triplets(tmp_path / "out")
    assert np.array_equal(first.edges, second.edges)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"source": "sketchworld"}, "source 'sketchworld' has no drawings: write 'edges: binary'"),
        ({"source": {"name": "fscoco", "path": "x"}, "size": None}, "drawings are fitted to a size"),
    ],
)
def test_drawings_that_cannot_be_are_one_line(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        BuildConfig.model_validate({"edges": "drawn", **settings})
