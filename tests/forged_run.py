"""A finished run, copies of it, and what a forger does to one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lepbench.evaluation.features import read_features
from lepbench.evaluation.record import read_record, write_record
from lepbench.evaluation.references import load_references
from lepbench.evaluation.run import evaluate
from lepbench.evaluation.summary import summarise_samples
from lepbench.files import sha256_file
from lepbench.judges import Judges
from lepbench.methods import ModelConfig
from lepbench.suites import Suite


@pytest.fixture(scope="session")
def finished(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: ModelConfig, tiny_suite: Suite, tiny_judges: Judges
) -> Path:
    """A finished run; tests must not change it."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEPBENCH_CACHE", str(folder / "cache"))
        evaluate(tiny_model, tiny_suite, folder / "out", device="cpu", judges=tiny_judges)
    return folder / "out"


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def edit(folder: Path, change: Callable[[Any], Any]) -> None:
    """Change the record's JSON."""
    path = folder / "record.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def forge(folder: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """Change the samples, and the record's hash of them."""
    path = folder / "samples.parquet"
    pq.write_table(change(pq.read_table(path)), path)
    edit(folder, lambda document: document.update(samples_sha256=sha256_file(path)))


def reckon(folder: Path) -> None:
    """Let the record's figures follow from the samples, whatever they say."""
    record = read_record(folder)
    samples, references = pq.read_table(folder / "samples.parquet"), load_references(record.protocol)
    features = read_features(folder, record.features_sha256)
    rows = summarise_samples(samples, features, references, record.protocol)
    write_record(folder, record.model_copy(update={"rows": rows}))


def replaced(table: pa.Table, column: str, value: Any, line: int = -1) -> pa.Table:
    """The table with one value of a column replaced, the last unless said."""
    values = table[column].to_pylist()
    values[line] = value
    position = table.schema.get_field_index(column)
    return table.set_column(
        position, table.schema.field(position), pa.array(values, table.schema.types[position])
    )
