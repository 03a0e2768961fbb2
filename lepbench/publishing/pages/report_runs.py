"""What the report of runs is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from lepbench.evaluation.checks import Verification
from lepbench.evaluation.conditions import MODEL
from lepbench.evaluation.record import Record
from lepbench.suites import Suite


@dataclass(frozen=True)
class ReportedRun:
    """A finished run.

    Attributes:
        verification: what was checked of it; None where nothing was.
        refused: why it was not found true; empty where it was, or was not looked at.
    """

    folder: Path
    record: Record
    suite: Suite
    verification: Verification | None = None
    refused: str = ""

    @property
    def name(self) -> str:
        """The model's."""
        return self.record.identity.model.name

    @cached_property
    def samples(self) -> pd.DataFrame:
        """Its samples with their figures, by condition, item and number, each once."""
        frame = self.record.samples().set_index(["row", "item_id", "sample_index"], drop=False)
        return frame[~frame.index.duplicated()]

    @cached_property
    def drawn(self) -> pd.DataFrame:
        """The samples of the model, by item and number."""
        frame = self.samples
        return frame[frame["row"] == MODEL.name].droplevel(0)

    def has(self, condition: str) -> bool:
        """Whether it has a condition."""
        return condition in self.record.rows


def find_metric(runs: Sequence[ReportedRun]) -> str:
    """The figure that heads a report: the one that ranks, or the first of the protocol."""
    record = runs[0].record
    figures = list(record.rows[MODEL.name])
    ranks = record.protocol.rank_by
    return ranks if ranks in figures else figures[0]
