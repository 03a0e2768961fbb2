"""The emoji as triplets: pictures with the licence of their set, edge maps, or OpenMoji's lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from lepbench.data.build import build_triplets
from lepbench.data.config import BuildConfig
from lepbench.data.read import Triplets
from lepbench.emoji import load_emoji
from lepbench.emoji.sets import SETS
from lepbench.strokes import rasterise


def configure(**settings: object) -> BuildConfig:
    source = {"name": "emoji", "groups": ["food-drink"]}
    return BuildConfig.model_validate({"source": source, "size": 64, "limit": 6, **settings})


def test_triplets_have_the_pictures_that_ship_and_the_licence_of_their_set(tmp_path: Path) -> None:
    build_triplets(configure(), tmp_path / "built")
    built, table = Triplets(tmp_path / "built"), load_emoji().select(["train"], ["food-drink"])
    assert len(built) == 6
    stored = pq.read_table(next((tmp_path / "built").rglob("*.parquet"))).to_pylist()
    for row, triplet in zip(stored, built, strict=True):
        shipped = table.rows["id"].index(row["id"])
        assert np.array_equal(triplet.image, table.pixels[shipped])
        assert triplet.text == table.rows["caption"][shipped]
        assert row["licence"] == SETS[table.rows["set"][shipped]].licence


def test_drawn_maps_are_openmojis_lines_and_other_sets_have_none(tmp_path: Path) -> None:
    build_triplets(configure(edges="drawn"), tmp_path / "drawn")
    built, table = Triplets(tmp_path / "drawn"), load_emoji().select(["train"], ["food-drink"])
    assert len(built) >= 1
    for number in range(len(built)):
        shipped = table.rows["id"].index(built.row(number)["id"])
        assert table.rows["set"][shipped] == "openmoji"
        lines = table.lines(shipped)
        assert lines is not None
        assert np.array_equal(built[number].edges, rasterise(lines, 64))
