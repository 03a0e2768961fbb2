"""What a finished run leaves to look at: `table.csv` and `sheet.png`."""

from __future__ import annotations

from pathlib import Path

from lepbench.evaluation.record import Record
from lepbench.publishing.sheet import write_sheet
from lepbench.publishing.tables import write_csv, write_headline
from lepbench.suites import Suite


def publish_run(record: Record, suite: Suite, folder: Path) -> None:
    """Write the table and the sheet of a run into its folder."""
    write_csv(folder, record)
    items = suite.take(record.identity.items)
    write_sheet(folder, record, write_headline(record), items)
