"""What a set came to: its records, what failed, and what is shown of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lepbench.evaluation.record import Record
from lepbench.publishing.formats import format_table
from lepbench.publishing.results import ResultsTable
from lepbench.run_sets.trade_offs import TradeOff


@dataclass(frozen=True, repr=False)
class SetOutcome:
    """The finished runs of a set.

    Attributes:
        folder: of the set.
        records: of every finished run, by its folder below that of the set, `SUITE/PROTOCOL/MODEL`.
        failed: why each run that failed did, in one line.
        tables: one a suite and protocol.
        fronts: the trade-offs that the set plots.
        frame: what `to_frame` gives.
        files: that were written into the folder, beside those of the runs.
        notes: on tables that could not be made, a line each.
    """

    folder: Path
    records: dict[str, Record]
    failed: dict[str, str]
    tables: Sequence[ResultsTable]
    fronts: Sequence[TradeOff]
    frame: pd.DataFrame
    files: Sequence[str]
    notes: Sequence[str] = ()

    def to_frame(self) -> pd.DataFrame:
        """A line a run and condition (`row`): swept settings, cost, and every figure with its interval."""
        return self.frame.copy()

    def format_tables(self, format: str = "text", intervals: bool = False) -> str:
        """The tables, one below the other, in a format of `lepbench table`."""
        return "\n".join(format_table(table, format, intervals=intervals) for table in self.tables)

    def __repr__(self) -> str:
        failed = f", {len(self.failed)} failed" if self.failed else ""
        return (
            f"SetOutcome({str(self.folder)!r}, {len(self.records)} runs{failed}; to_frame() has the figures)"
        )
