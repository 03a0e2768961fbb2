"""The record of an evaluation: what was run, on what, and what came out; typed, versioned, one JSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from lepbench.config import Config, explain
from lepbench.errors import LepbenchError
from lepbench.evaluation.environment import Environment
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.summary import Figure
from lepbench.files import read_json, sha256_bytes, write_text
from lepbench.methods import ModelConfig
from lepbench.plugins import iterate_code

SCHEMA = 1
RECORD = "record.json"
SAMPLES = "samples.parquet"
PICTURES = "samples"


class Identity(Config):
    """All that decides the bytes of `samples.parquet`; a folder of results belongs to one of these."""

    model: ModelConfig
    suite: str
    suite_sha256: str
    protocol_sha256: str
    items: int
    """Items taken from the front of the suite."""
    samples_per_item: int
    weights: dict[str, str]
    """SHA-256 of the backbone's files, and of the weights of method and judges, by name."""
    packages: dict[str, str]
    device: str
    """Kind of device, e.g. "cpu"."""


class Timing(Config):
    """Seconds on the clock."""

    drawing: dict[str, float]
    """Of drawing each row, over all sittings; a row from the cache counts what it took then."""
    total: float
    """Of the sitting that finished the run."""


class Record(Config):
    """What `record.json` holds."""

    schema_version: Literal[1] = 1
    identity: Identity
    protocol: Protocol
    samples: int
    """Samples drawn of the model: items times samples an item."""
    failed: dict[str, int]
    """Samples of each row that could not be drawn; they are in `samples.parquet`, and in no figure."""
    truncated: int
    """Captions of the items that are longer than the judge reads; their tails play no part."""
    rows: dict[str, dict[str, Figure]]
    samples_sha256: str
    """SHA-256 of `samples.parquet`."""
    reused: list[str]
    """Reference rows taken from the cache."""
    timing: Timing
    peak_memory_bytes: int | None
    peak_accelerator_bytes: int | None
    machine: Environment

    @property
    def id(self) -> str:
        """Hash of what was run and what came out, not of when, where or how fast."""
        stable = self.model_dump(mode="json", include={"identity", "protocol", "rows", "samples_sha256"})
        return sha256_bytes(json.dumps(stable, sort_keys=True).encode())

    @property
    def submitted_code(self) -> list[str]:
        """The modules from outside that took part: their code is the submitter's."""
        return list(iterate_code(self.identity.weights))

    def published(self) -> dict[str, Any]:
        """The object that `lepbench evaluate --json` prints."""
        rows = {
            row: {name: figure.model_dump(exclude={"n"}) for name, figure in found.items()}
            for row, found in self.rows.items()
        }
        return {
            "protocol": self.protocol.name,
            "suite": self.identity.suite,
            "samples": self.samples,
            **({"submitted_code": self.submitted_code} if self.submitted_code else {}),
            "rows": rows,
        }


def write_record(folder: Path, record: Record) -> None:
    """Write `record.json` atomically; rows and metrics keep their order."""
    write_text(folder / RECORD, json.dumps(record.model_dump(mode="json"), indent=1) + "\n")


def read_record(folder: Path) -> Record:
    """Read `record.json`.

    Raises:
        LepbenchError: it is missing, or not of this schema.
    """
    path = folder / RECORD
    document = read_json(path, "run 'lepbench evaluate' to the end first")
    if isinstance(document, dict) and document.get("schema_version", SCHEMA) != SCHEMA:
        raise LepbenchError(
            f"{path} has schema {document['schema_version']}, not {SCHEMA}",
            "evaluate again with this version",
        )
    try:
        return Record.model_validate(document)
    except ValidationError as error:
        raise LepbenchError(f"{path}: {explain(error, Record)}") from error


def find_samples(folder: Path) -> Path:
    """Where a run's samples lie.

    Raises:
        LepbenchError: they are missing.
    """
    path = folder / SAMPLES
    if not path.is_file():
        raise LepbenchError(f"missing file {path}", "a record counts only with its samples")
    return path
