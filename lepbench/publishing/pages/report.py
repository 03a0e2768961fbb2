"""The report of one or more runs: one file that a reader needs nothing else for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.evaluation.compare import Comparison, check_comparable, compare
from lepbench.evaluation.summary import list_main_metrics
from lepbench.files import write_text
from lepbench.publishing.curves import make_level_panels, make_tolerance_panels
from lepbench.publishing.pages.charts import Chart, draw_chart
from lepbench.publishing.pages.html import render_page
from lepbench.publishing.pages.report_facts import describe_run, list_differences, summarise
from lepbench.publishing.pages.report_figures import group_figures, list_report_lines, make_headline
from lepbench.publishing.pages.report_items import list_failures, show_items
from lepbench.publishing.pages.report_runs import ReportedRun, find_metric
from lepbench.publishing.results import Line

REPORT = "report.html"
MOST_RUNS = 8
"""Runs whose pictures find room beside each other."""
FEW_RUNS = 3
"""Runs whose differences are tested on every main figure; of more, on the one that heads the report."""
MOST_CHARTS = 8
CURVES = ("edge_f1", "paired_f1")
"""Figures whose curves over the tolerance are drawn; the others stand in the tables."""


def write_report(path: Path, runs: Sequence[ReportedRun], *, linked: bool = True) -> None:
    """Write the report of finished runs of one suite and protocol.

    Args:
        path: a file ending in `.html`.
        linked: whether its pictures lead to those in the folders of the runs.

    Raises:
        LepbenchError: the runs do not compare, are too many, or cannot be read.
    """
    if len(runs) > MOST_RUNS:
        raise LepbenchError(
            f"a report shows at most {MOST_RUNS} runs, not {len(runs)}", "report fewer at once"
        )
    if len(runs) > 1:
        check_comparable([run.folder for run in runs], [run.record for run in runs])
    write_text(path, render_report(path, runs, linked))


def render_report(path: Path, runs: Sequence[ReportedRun], linked: bool = True) -> str:
    """The report as HTML."""
    record = runs[0].record
    lines = list_report_lines(runs)
    headline = make_headline(runs, lines)
    failures, failed = list_failures(runs)
    found = _compare(runs)
    return render_page(
        "report.html",
        "report.js",
        title=f"{', '.join(run.name for run in runs)} on {record.identity.suite}",
        names=[run.name for run in runs],
        identity=record.identity,
        protocol=record.protocol,
        samples=record.sample_count,
        summary=summarise(headline, runs),
        headline=headline,
        lines=lines,
        groups=group_figures(runs, lines),
        differences=list_differences(found),
        left_out=0 if found is None else found.left_out,
        charts=_draw_charts(runs, lines),
        linked=linked,
        section=show_items(runs, path.parent if linked else None),
        failures=failures,
        failed=failed,
        facts=[describe_run(run) for run in runs],
    )


def _compare(runs: Sequence[ReportedRun]) -> Comparison | None:
    if len(runs) < 2:
        return None
    metrics = [find_metric(runs)]
    if len(runs) <= FEW_RUNS:
        record = runs[0].record
        main = list_main_metrics(record.protocol, record.rows["model"])
        metrics = list(dict.fromkeys([*metrics, *main]))
    return compare([run.folder for run in runs], metrics=metrics)


def _draw_charts(runs: Sequence[ReportedRun], lines: Sequence[Line]) -> list[Chart]:
    levels = runs[0].record.protocol.levels
    panels = [*make_level_panels(lines, levels), *make_tolerance_panels(lines, CURVES)]
    return [draw_chart(panel) for panel in panels[:MOST_CHARTS]]
