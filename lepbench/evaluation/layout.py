"""What lies where in the folder of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lepbench.errors import LepbenchError
from lepbench.files import is_file, read_json, require_within
from lepbench.suites import name_picture

RECORD = "record.json"
SAMPLES = "samples.parquet"
PICTURES = "samples"
EDGES = "edges"
"""The folder of the edges that the model predicted; no figure and no check knows it."""
SUITES = "suites"
"""The folder, in that of a set of runs, of the suites that it makes."""


def read_document(folder: Path) -> Any:
    """What the record of a run holds, unchecked.

    Raises:
        LepbenchError: it is missing, is no JSON, or is a link to another folder.
    """
    require_within(folder, folder / RECORD)
    return read_json(folder / RECORD, "run 'lepbench evaluate' to the end first")


def find_samples(folder: Path) -> Path:
    """Where a run's samples lie.

    Raises:
        LepbenchError: they are missing.
    """
    path = folder / SAMPLES
    if not is_file(path):
        raise LepbenchError(
            f"missing file {path}",
            "give the folder of a finished run: figures are read beside the samples that they follow from",
        )
    require_within(folder, path)
    return path


def locate_made_suite(folder: Path, suite: str) -> Path:
    """Where a set has the suite that it made for the run in `folder`, `OUT/SUITE/PROTOCOL/MODEL`."""
    return folder.resolve().parent.parent.parent / SUITES / suite


def locate_picture(folder: Path, condition: str, item_id: str, index: int = 0) -> Path:
    """Where a condition's picture of an item lies."""
    return folder / PICTURES / condition / name_picture(item_id, index)


def locate_edges(folder: Path, item_id: str) -> Path:
    """Where the edges lie that the model predicted for the first sample of an item, if it predicts any."""
    return (folder / EDGES / name_picture(item_id, 0)).with_suffix(".webp")
