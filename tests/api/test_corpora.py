"""Real pictures of folders, built data sets and suites."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lepbench
from lepbench.api.corpora import open_pictures
from lepbench.errors import LepbenchError
from lepbench.images import square
from lepbench.progress import ignore_progress
from lepbench.scoring.feature_job import CorpusPictures


def open_corpus(corpus: str | Path, size: int | None = None, limit: int | None = None) -> CorpusPictures:
    return open_pictures(corpus, size=size, limit=limit, progress=ignore_progress)


def test_a_data_set_gives_its_pictures(tmp_path: Path) -> None:
    triplets = lepbench.build_data("sketchworld", tmp_path / "built", limit=6, progress=False)
    corpus = open_corpus(tmp_path / "built")
    assert corpus.pictures.count == len(triplets)
    assert np.array_equal(corpus.pictures.read(3), triplets[3].image)
    assert corpus.source_sha256 == triplets.identity
    shard = next((tmp_path / "built").rglob("*.parquet"))
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    with pytest.raises(LepbenchError, match="is not the shard its manifest names"):
        open_corpus(tmp_path / "built")


def test_a_suite_gives_all_its_pictures() -> None:
    suite = lepbench.load_suite("sketchworld-edges-v1")
    corpus = open_corpus("sketchworld-edges-v1", size=32)
    image = suite[5].image
    assert image is not None
    assert corpus.pictures.count == len(suite) == 512
    assert np.array_equal(corpus.pictures.read(5), np.asarray(square(Image.fromarray(image), 32)))
    assert corpus.source_sha256 == suite.definition.items_sha256
    by_folder = open_corpus(suite.folder)
    assert (by_folder.pictures.count, by_folder.source_sha256) == (512, corpus.source_sha256)


def test_a_folder_is_told_by_its_bytes_in_order(tmp_path: Path) -> None:
    for number in range(5):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / f"{number}.png")
    first = open_corpus(tmp_path)
    assert [int(first.pictures.read(number)[0, 0, 0]) for number in range(5)] == [0, 1, 2, 3, 4]
    (tmp_path / "0.png").rename(tmp_path / "9.png")
    assert open_corpus(tmp_path).source_sha256 != first.source_sha256
    assert open_corpus(tmp_path, limit=4).pictures.count == 4


@pytest.mark.parametrize(
    ("corpus", "limit", "message"),
    [
        ("sketchworld-edges-v1", 513, "holds 512 pictures, not 513; give a smaller --limit"),
        (
            "no-such",
            None,
            "no corpus 'no-such'; give a folder of pictures, a data set of build-data, or a suite",
        ),
    ],
    ids=["too many", "unknown"],
)
def test_a_corpus_that_cannot_be_is_one_line(corpus: str, limit: int | None, message: str) -> None:
    with pytest.raises(LepbenchError, match=message):
        open_corpus(corpus, limit=limit)
