"""The end of a run reads its batches one after another, and leaves what one table in memory would."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lepbench.evaluation import folder
from lepbench.evaluation.condition_runner import write_table
from lepbench.evaluation.condition_table import ConditionTable
from lepbench.evaluation.folder import StoredSamples, regroup_rows, write_samples
from lepbench.evaluation.last_judges import LastJudges
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import select_protocol
from lepbench.judges import Judges
from lepbench.on_demand import OnDemand
from lepbench.suites import Suite

SCHEMA = pa.schema(
    [("row", pa.string()), ("n", pa.int32()), ("halved", pa.bool_()), ("features@a", pa.list_(pa.float32()))]
)


def make_tables(where: Path) -> list[ConditionTable]:
    """Two conditions of four and three batches."""
    tables = []
    for name, sizes in (("real", (3, 3, 3, 1)), ("model", (4, 4, 2))):
        paths = [where / f"{name}-{number}.parquet" for number in range(len(sizes))]
        for number, (path, size) in enumerate(zip(paths, sizes, strict=True)):
            rows = [
                {"row": name, "n": 10 * number + i, "halved": False, "features@a": [1.0]} for i in range(size)
            ]
            write_table(path, pa.Table.from_pylist(rows, SCHEMA))
        tables.append(ConditionTable(SCHEMA, paths))
    return tables


def test_batches_become_the_bytes_of_one_table(tmp_path: Path) -> None:
    tables = make_tables(tmp_path)
    write_samples(tmp_path, tables)
    whole = pa.concat_tables([table.read_columns(["row", "n"]) for table in tables]).combine_chunks()
    pq.write_table(whole, tmp_path / "whole.parquet")
    assert (tmp_path / "samples.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def test_row_groups_depend_on_the_rows_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "GROUP", 8)
    write_samples(tmp_path, make_tables(tmp_path))
    file = pq.ParquetFile(tmp_path / "samples.parquet")
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [8, 8, 4]
    rows = pa.table({"n": list(range(20))})
    for size in (1, 7, 20):
        batches = [rows.slice(start, size) for start in range(0, 20, size)]
        assert [group["n"].to_pylist() for group in regroup_rows(batches, 8)] == [
            list(range(0, 8)),
            list(range(8, 16)),
            list(range(16, 20)),
        ]
    stored = StoredSamples(tmp_path, ["model"])
    assert stored["model"]["n"].to_pylist() == [0, 1, 2, 3, 10, 11, 12, 13, 20, 21]
    assert list(stored) == ["model"]


def test_values_are_read_each_time_they_are_asked_for() -> None:
    asked: list[str] = []

    def read(name: str) -> str:
        asked.append(name)
        return name.upper()

    values = OnDemand(["a", "b"], read)
    assert ("a" in values, "c" in values, len(values)) == (True, False, 2)
    assert asked == []
    assert (values["a"], values.get("c"), dict(values)) == ("A", None, {"a": "A", "b": "B"})
    assert asked == ["a", "a", "b"]


def test_judges_of_one_protocol_are_loaded_once(tiny_suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []

    def load(protocol: Protocol, device: str) -> Judges:
        loaded.append(protocol.name)
        return Judges({})

    monkeypatch.setattr("lepbench.evaluation.last_judges.load_judges", load)
    first = select_protocol(tiny_suite, judges="none")
    other = first.model_copy(update={"name": "other"})
    judges = LastJudges("cpu")
    assert judges(first) is judges(first.model_copy())
    judges(other)
    judges(first)
    assert loaded == [first.name, "other", first.name]
