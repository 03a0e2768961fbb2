"""What a finished run leaves to look at: `table.csv`, `sheet.png` and `report.html`."""

from __future__ import annotations

from pathlib import Path

from lepbench.evaluation.record import Record
from lepbench.publishing.pages.report import REPORT, write_report
from lepbench.publishing.pages.report_runs import ReportedRun
from lepbench.publishing.sheet import write_sheet
from lepbench.publishing.tables import write_csv, write_headline
from lepbench.suites import Suite


def publish_run(record: Record, suite: Suite, folder: Path) -> None:
    """Write the table, the sheet and the report of a run into its folder."""
    write_csv(folder, record)
    items = suite.take(record.identity.items)
    write_sheet(folder, record, write_headline(record), items)
    write_report(folder / REPORT, [ReportedRun(folder, record, suite)])
