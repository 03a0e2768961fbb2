"""FS-COCO's photographs and captions as triplets, whole users on one side."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sketch_corpora import fscoco, jpeg

from lepbench.data.build import build
from lepbench.data.config import BuildConfig
from lepbench.data.corpus import Reason, Rejected
from lepbench.data.sources import FSCOCO
from lepbench.sketches import FSCOCO as SKETCHES


def test_entries_are_photographs_with_their_captions(tmp_path: Path) -> None:
    corpus = pickle.loads(pickle.dumps(FSCOCO(path=fscoco(tmp_path), split="all").open(64, None)))
    assert corpus.count == 20
    for number in (19, 0, 7):
        user, index = divmod(number, 2)
        entry = corpus.entry(number)
        original = entry.load()
        assert entry.id == f"{user}/{user:04d}{index}"
        assert original.picture == jpeg(320, 256, 10 * user + index)
        assert original.caption.split() == f"a scene of {user} number {index}".split()
    assert FSCOCO(path=tmp_path, split="all").open(64, 3).count == 3


def test_no_user_is_in_a_build_and_in_the_other_sides_suite(tmp_path: Path) -> None:
    path = fscoco(tmp_path, users=30, each=1)
    corpus = FSCOCO(path=path).open(64, None)
    built = {corpus.entry(number).id for number in range(corpus.count)}
    drawn = {name.id for name in SKETCHES(path=path).open().names()}
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
        FSCOCO(path=tmp_path, split="all").open(64, None).entry(0).load()
    assert caught.value.reason is reason


def test_a_caption_beyond_the_folder_is_read_by_neither_build_nor_fingerprint(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    source = FSCOCO(path=fscoco(tmp_path / "fs", users=1, each=1), split="all")
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
        return json.dumps(FSCOCO(path=tmp_path, split="all").open(64, None).recipe())

    fscoco(tmp_path, users=2)
    first = recipe()
    assert str(tmp_path) not in first
    assert recipe() == first
    next((tmp_path / "text").rglob("*.txt")).write_text("another")
    assert recipe() != first


def test_it_builds(tmp_path: Path) -> None:
    source = {"name": "fscoco", "path": str(fscoco(tmp_path / "fs", users=2)), "split": "all"}
    build(BuildConfig(source=source, size=64), tmp_path / "out")
    (shard,) = (tmp_path / "out" / "data").glob("*.parquet")
    assert pq.read_table(shard, columns=["text"])["text"].to_pylist()[0] == "a scene of 0 number 0"
