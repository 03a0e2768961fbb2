"""What a data card says of licences: those of the rows, however many, and loudly where nobody said."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hub_cards import check_dataset_card
from picture_folders import jpeg, photograph

from lepbench.data.build import build_triplets
from lepbench.data.card import choose_size
from lepbench.data.config import BuildConfig
from lepbench.data.hub_licences import describe_licences

WARNING = "Unknown: nobody said"


def card(folder: Path, licences: Sequence[str | None], **settings: Any) -> tuple[dict[str, Any], str]:
    """The header and the text of the card of a table whose rows have these licences."""
    folder.mkdir()
    contents = [jpeg(photograph().rotate(number)) for number in range(len(licences))]
    texts = [f"picture {number}" for number in range(len(licences))]
    terms = pa.array(licences, pa.string())
    pq.write_table(pa.table({"image": contents, "text": texts, "terms": terms}), folder / "rows.parquet")
    source = {"name": "table", "path": str(folder / "rows.parquet"), "licence_column": "terms", **settings}
    config = {"source": source, "size": 16, "shard_rows": 3, "hygiene": {"min_edges": 0, "max_edges": 1}}
    build_triplets(BuildConfig.model_validate(config), folder / "out")
    _, header, text = (folder / "out" / "README.md").read_text().split("---\n", 2)
    return yaml.safe_load(io.StringIO(header)), text


def counted(text: str) -> list[tuple[str, int]]:
    """The table of licences."""
    table = text.split("| licence | rows |")[1].split("\n\n")[0]
    return [(name, int(rows)) for name, rows in re.findall(r"^\| (.+) \| (\d+) \|$", table, re.MULTILINE)]


def test_one_licence_is_named(tmp_path: Path) -> None:
    header, text = card(tmp_path / "a", ["CC-BY-4.0"] * 4)
    assert header["license"] == "cc-by-4.0"
    assert "license_name" not in header
    assert "| licence of the pictures | CC-BY-4.0 |" in text
    assert counted(text) == [("CC-BY-4.0", 4)]
    assert WARNING not in text


def test_licences_of_rows_are_counted_over_all_shards(tmp_path: Path) -> None:
    licences = ["MIT", "CC-BY-4.0", "Flickr  |\nterms", "CC-BY-4.0", None, "CC-BY-4.0", "MIT"]
    header, text = card(tmp_path / "a", licences, licence="CC0-1.0")
    assert header["license"] == ["cc-by-4.0", "mit", "cc0-1.0", "other"]
    assert header["license_name"] == "by-picture"
    assert counted(text) == [("CC-BY-4.0", 3), ("MIT", 2), ("CC0-1.0", 1), ("Flickr \\| terms", 1)]
    assert "| licence of the pictures | 4 of them, counted below |" in text
    assert WARNING not in text


def test_ten_licences_are_named_and_the_others_counted(tmp_path: Path) -> None:
    licences = [f"licence {number:02d}" for number in range(13)] + ["licence 12"]
    header, text = card(tmp_path / "a", licences)
    assert (header["license"], header["license_name"]) == ("other", "by-picture")
    rows = counted(text)
    assert rows[:2] == [("licence 12", 2), ("licence 00", 1)]
    assert rows[10:] == [("and 3 more", 3)]
    assert sum(count for _, count in rows) == 14
    assert "| licence of the pictures | 13 of them, counted below |" in text


@pytest.mark.parametrize("said", ["unknown", "Unknown"])
def test_where_nobody_said_the_card_is_loud_and_says_what_to_do(tmp_path: Path, said: str) -> None:
    header, text = card(tmp_path / "a", [None, " ", said], licence=said)
    assert header["license"] == "unknown"
    assert "| licence of the pictures | **unknown: nobody said** |" in text
    assert f"> **{WARNING} under which licence 3 of the 3 pictures are.**" in text
    assert "--licence NAME" in text
    header, text = card(tmp_path / "b", ["MIT", None, "MIT"], licence=said)
    assert header["license"] == ["mit", "unknown"]
    assert f"> **{WARNING} under which licence 1 of the 3 pictures are.**" in text


def test_a_licence_the_hub_does_not_know_is_other_by_its_name() -> None:
    assert describe_licences({"Flickr terms": 3}) == {"license": "other", "license_name": "flickr-terms"}
    assert describe_licences({"CC-BY-SA-2.0": 3})["license"] == "other"
    assert describe_licences({"MIT": 2, "mit": 1}) == {"license": "mit"}
    assert describe_licences({"CC-BY-2.0": 2}) == {"license": "cc-by-2.0"}


@pytest.mark.parametrize(
    ("rows", "category"),
    [
        (0, "n<1K"),
        (999, "n<1K"),
        (1_000, "1K<n<10K"),
        (118_287, "100K<n<1M"),
        (3_000_000, "1M<n<10M"),
        (10**9, "n>1B"),
    ],
)
def test_the_size_is_a_category_of_the_hub(rows: int, category: str) -> None:
    assert choose_size(rows) == category


def test_a_card_has_the_fields_and_values_of_the_hub(tmp_path: Path) -> None:
    card(tmp_path / "a", ["CC-BY-4.0", "Flickr terms", "CC-BY-4.0", "MIT"])
    check_dataset_card((tmp_path / "a" / "out" / "README.md").read_text())
    card(tmp_path / "b", ["A licence of ours"] * 3)
    check_dataset_card((tmp_path / "b" / "out" / "README.md").read_text())
