"""The record of an evaluation: model, environment and results; typed, versioned, one JSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeInt,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
)

from lepbench.config import Config, Label, Line, parse_config
from lepbench.errors import LepbenchError
from lepbench.evaluation.conditions import find_shown
from lepbench.evaluation.cost import Cost
from lepbench.evaluation.environment import Environment
from lepbench.evaluation.figures import Figure
from lepbench.evaluation.layout import RECORD, SAMPLES, locate_picture, read_document
from lepbench.evaluation.measures.divided import divide_counts
from lepbench.evaluation.notebook import render_figures
from lepbench.evaluation.per_sample import sort_samples
from lepbench.evaluation.protocol import Protocol, read_recorded
from lepbench.evaluation.samples_table import read_samples
from lepbench.files import sha256_bytes, write_text
from lepbench.methods import ModelConfig
from lepbench.submitted import UNKNOWN, iterate_code

SCHEMA = 1
Device = Literal["cpu", "cuda", "mps", "xpu", "xla", "hpu", "privateuseone"]
OMITTED = ("cut_captions", "notes", "features_sha256", "cost")


Digest = Annotated[str, StringConstraints(pattern=rf"^([0-9a-f]{{1,64}}|{UNKNOWN})$")]
"""SHA-256 in hex, or what stands for that of code without a source."""
Package = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Version = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+!_-]{0,63}$")]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Identity(Config):
    """Everything that determines the bytes of `samples.parquet`; identifies a folder of results."""

    model: ModelConfig
    suite: Label
    suite_sha256: Digest
    protocol_sha256: Digest
    items: int = Field(ge=1)
    """Items taken from the front of the suite."""
    samples_per_item: int = Field(ge=1)
    weights: dict[Label, Digest]
    """SHA-256 of the backbone's files, and of the weights of method and judges, by name."""
    packages: dict[Package, Version]
    device: Device
    """Kind of device, as torch calls it."""


class Timing(Config):
    """Seconds on the clock."""

    drawing: dict[Label, Amount]
    """Sampling time of each condition, over all resumptions; cached conditions count their original time."""
    total: Amount
    """Time of the invocation that finished the run."""


class Record(Config):
    """Content of `record.json`."""

    schema_version: Literal[1] = 1
    identity: Identity
    protocol: Annotated[Protocol, BeforeValidator(read_recorded)]
    sample_count: int = Field(alias="samples", ge=1)
    """Samples drawn of the model: items times samples an item."""
    failed: dict[Label, NonNegativeInt]
    """Failed samples of each condition; they are in `samples.parquet`, and in no figure."""
    truncated: NonNegativeInt
    """Number of captions that the judge truncates."""
    cut_captions: tuple[Line, ...] = ()
    """Items whose captions the backbone's text encoders do not read to the end."""
    notes: tuple[Line, ...] = ()
    """What a reader of the pictures should know of the backbone: a smaller VAE, quantised weights, a safety
    checker that was not run."""
    rows: dict[str, dict[str, Figure]]
    samples_sha256: Digest
    """SHA-256 of `samples.parquet`."""
    features_sha256: dict[Label, Digest] = Field(default_factory=dict)
    """SHA-256 of the files of features, by name."""
    reused: list[Label]
    """Reference conditions taken from the cache."""
    cost: dict[Label, Cost] = Field(default_factory=dict)
    """What a picture costs, by condition, where a denoiser of ours drew it."""
    timing: Timing
    peak_memory_bytes: NonNegativeInt | None
    peak_accelerator_bytes: NonNegativeInt | None
    machine: Environment
    _folder: Path | None = PrivateAttr(default=None)

    @model_serializer(mode="wrap")
    def _serialise(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Omit what most records have none of, so that their bytes are those of earlier versions."""
        written: dict[str, Any] = plain(self)
        return {key: value for key, value in written.items() if value or key not in OMITTED}

    @property
    def id(self) -> str:
        """Hash of the identity and the results, without time, place or speed."""
        parts = {"identity", "protocol", "rows", "samples_sha256", "features_sha256"}
        stable = self.model_dump(mode="json", include=parts)
        return sha256_bytes(json.dumps(stable, sort_keys=True).encode())

    @property
    def submitted_code(self) -> list[str]:
        """External modules whose code affected the results."""
        return list(iterate_code(self.identity.weights))

    def require_folder(self) -> Path:
        """The folder that the record was read from or written to.

        Raises:
            LepbenchError: there is none.
        """
        if self._folder is None:
            raise LepbenchError("this record is of no folder", "read it with load_record(folder)")
        return self._folder

    def place(self, folder: Path) -> Record:
        """The same record, as that of a folder."""
        self._folder = folder
        return self

    def to_frame(self, intervals: bool = False) -> pd.DataFrame:
        """The figures as a table: a line a condition, a column a metric, NaN where a figure is not defined.

        Args:
            intervals: columns `METRIC_low` and `METRIC_high` too, the ends of the intervals.
        """
        parts = ("value", "low", "high") if intervals else ("value",)
        lines = {
            condition: {
                name if part == "value" else f"{name}_{part}": getattr(figure, part)
                for name, figure in figures.items()
                for part in parts
            }
            for condition, figures in self.rows.items()
        }
        return pd.DataFrame.from_dict(lines, orient="index", dtype=float).rename_axis("condition")

    def samples(self) -> pd.DataFrame:
        """The samples behind the figures: `samples.parquet`, with the figures of each sample.

        A line a sample. Figures have the names of the record's, which are their means: `edge_f1_1px`,
        `edge_precision_1px`, `edge_recall_1px`, `paired_f1_1px`, `chamfer_px`, `mask_iou` ...; `picture` is
        the path of the picture. Samples that failed have a `reason` and no figures.

        Raises:
            LepbenchError: the folder or its samples are missing.
        """
        folder = self.require_folder()
        frame = read_samples(folder, self.protocol)
        try:
            frame = divide_counts(frame)
        except KeyError as error:
            raise LepbenchError(f"{folder / SAMPLES} has no column {error}", "evaluate again") from error
        except (TypeError, ValueError) as error:
            raise LepbenchError(f"cannot read {folder / SAMPLES}: {error}", "evaluate again") from error
        names = zip(frame["row"], frame["item_id"], frame["sample_index"], strict=True)
        frame["picture"] = [
            str(locate_picture(folder, find_shown(row), item, int(index))) for row, item, index in names
        ]
        return frame

    def worst(self, metric: str, n: int = 8, condition: str = "model") -> pd.DataFrame:
        """The `n` samples of a condition that are worst by a figure of `samples()`, the worst first.

        Raises:
            LepbenchError: samples have no such figure; the message lists what they have.
        """
        return sort_samples(self.samples(), metric, n, condition, of_sets=self.rows.get(condition, {}))

    def __repr__(self) -> str:
        name, suite = self.identity.model.name, self.identity.suite
        return f"Record({name!r} on {suite!r}, {self.sample_count} samples; to_frame() has the figures)"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        """How a notebook shows the record: its main figures with their intervals."""
        title = f"{self.identity.model.name} on {self.identity.suite}, {self.sample_count} samples"
        return render_figures(title, self.rows, self.protocol)

    def published(self) -> dict[str, Any]:
        """The object that `lepbench evaluate --json` prints."""
        rows = {
            row: {name: figure.model_dump(exclude={"n"}) for name, figure in found.items()}
            for row, found in self.rows.items()
        }
        return {
            "protocol": self.protocol.name,
            "suite": self.identity.suite,
            "samples": self.sample_count,
            **({"submitted_code": self.submitted_code} if self.submitted_code else {}),
            "rows": rows,
        }


def list_values(record: Record) -> dict[str, float]:
    """Every figure that is defined, by `CONDITION/METRIC`."""
    return {
        f"{row}/{name}": figure.value
        for row, figures in record.rows.items()
        for name, figure in figures.items()
        if figure.value is not None
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
    document = read_document(folder)
    if isinstance(document, dict) and document.get("schema_version", SCHEMA) != SCHEMA:
        raise LepbenchError(
            f"{path} has schema {document['schema_version']}, not {SCHEMA}",
            "evaluate again with this version",
        )
    return parse_config(document, Record, str(path)).place(folder)
