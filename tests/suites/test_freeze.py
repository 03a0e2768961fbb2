"""Freezing: rows are streamed, truths follow from them, and what fails leaves nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepbench.detectors import Canny
from lepbench.images import encode_png
from lepbench.suites import Suite
from lepbench.suites.definition import TRUTHS, Drawn
from lepbench.suites.freeze import ItemRow, freeze_suite, write_items
from lepbench.suites.items import SCHEMA

MAP = encode_png(np.eye(8, dtype=np.bool_))
ABOUT: dict[str, Any] = {
    "name": "s",
    "version": 1,
    "description": "d",
    "licence": "l",
    "size": 8,
    "default_items": 1,
    "detector": Canny().model_dump(),
    "drawn": Drawn(corpus="c", first_index=0, considered=1, left_out={}),
}


def make_row(number: int, **more: Any) -> ItemRow:
    return {"item_id": f"i{number}", "prompt": f"p{number}", "sketch": MAP, **more}


TRUTH_COLUMNS = {"picture": "image", "contours": "contour", "mask": "mask", "strokes": "strokes"}
filled = st.fixed_dictionaries({column: st.booleans() for column in [*TRUTH_COLUMNS.values(), "label"]})


@given(st.lists(filled, min_size=1, max_size=5), st.booleans())
def test_truths_are_what_every_row_has_and_the_class_of_any(
    tmp_path_factory: pytest.TempPathFactory, columns: list[dict[str, bool]], edges: bool
) -> None:
    rows = [
        make_row(number, **{name: MAP if name != "label" else "cat" for name, has in row.items() if has})
        for number, row in enumerate(columns)
    ]
    definition = freeze_suite(tmp_path_factory.mktemp("suite"), rows, edges=edges, **ABOUT)
    expected = {truth for truth, column in TRUTH_COLUMNS.items() if all(row[column] for row in columns)}
    expected |= {"edges"} if edges else set()
    expected |= {"label"} if any(row["label"] for row in columns) else set()
    assert definition.truths == tuple(truth for truth in TRUTHS if truth in expected)


def test_the_bytes_are_those_of_a_table_written_at_once(tmp_path: Path) -> None:
    rows = [make_row(number, label="cat" if number % 2 else None) for number in range(20)]
    written = write_items(tmp_path / "s", iter(rows))
    schema = pa.schema([SCHEMA.field(name) for name in ("item_id", "prompt", "sketch", "label")])
    pq.write_table(pa.Table.from_pylist(rows, schema), tmp_path / "whole.parquet", compression="none")
    assert (tmp_path / "s" / "items.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert (written.rows, written.labelled, written.filled["label"]) == (20, True, 10)


def test_rows_that_fail_leave_no_file(tmp_path: Path) -> None:
    def rows() -> Iterator[ItemRow]:
        yield make_row(0)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        write_items(tmp_path, rows())
    assert not list(tmp_path.iterdir())


def test_a_table_of_items_is_that_of_the_items(tmp_path: Path) -> None:
    rows = [make_row(0, image=encode_png(np.zeros((8, 8, 3), np.uint8))), make_row(1, label="cat")]
    freeze_suite(tmp_path, rows, **ABOUT)
    suite = Suite(tmp_path)
    frame = suite.to_frame()
    assert frame.index.tolist() == suite.item_ids
    assert frame["stroke_pixels"].tolist() == [int(item.sketch.sum()) for item in suite]
    assert frame["has_picture"].tolist() == [True, False]
    assert frame["label"].fillna("none").tolist() == ["none", "cat"]
    assert suite.count_labels() == {"cat": 1}


def test_the_successor_has_another_sketch_where_there_is_one(tmp_path: Path) -> None:
    other = encode_png(np.ones((8, 8), np.bool_))
    rows = [make_row(0), make_row(1), make_row(2, sketch=other), make_row(3)]
    freeze_suite(tmp_path / "a", rows, **ABOUT)
    assert [Suite(tmp_path / "a").find_successor(k) for k in range(4)] == [2, 2, 3, 2]
    freeze_suite(tmp_path / "b", rows[:2], **ABOUT)
    assert [Suite(tmp_path / "b").find_successor(k) for k in range(2)] == [1, 0]
    freeze_suite(tmp_path / "c", [make_row(0), {**make_row(1), "prompt": "p0"}], **ABOUT)
    assert Suite(tmp_path / "c").find_successor(0) == 0


STREAM = """
import os, resource, sys
from pathlib import Path
from lepbench.suites.freeze import write_items
def rows(count):
    for number in range(count):
        yield {"item_id": str(number), "prompt": "p", "image": os.urandom(200_000), "sketch": b"s"}
write_items(Path(sys.argv[1]) / "few", rows(200))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
write_items(Path(sys.argv[1]) / "many", rows(1000))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.slow
def test_a_thousand_items_take_the_memory_of_two_hundred(tmp_path: Path) -> None:
    """The 1,000 are 200 MB."""
    command = [sys.executable, "-c", STREAM, str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(ran.stdout) < 40
    assert pq.read_metadata(tmp_path / "many" / "items.parquet").num_rows == 1000
