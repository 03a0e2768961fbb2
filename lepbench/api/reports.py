"""Pages of finished runs and of leaderboards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lepbench.api.progress import ShowProgress, follow_progress
from lepbench.api.running import RunLike, find_folder
from lepbench.errors import LepbenchError
from lepbench.evaluation.checks import verify_run
from lepbench.evaluation.record import read_record
from lepbench.evaluation.terms import find_protocol, find_suite
from lepbench.publishing.pages.report import REPORT
from lepbench.publishing.pages.report import write_report as write
from lepbench.publishing.pages.report_runs import ReportedRun
from lepbench.publishing.pages.site import find_runs
from lepbench.publishing.pages.site import write_site as write_pages

CHECKING = "checking"


def write_report(
    *runs: RunLike | Sequence[RunLike],
    out: str | Path | None = None,
    suite: str | Path | None = None,
    verify: bool = True,
    progress: ShowProgress = True,
) -> Path:
    """Write the report of finished runs of one suite and protocol, as `lepbench report` does.

    Args:
        runs: folders or records, each with its own model name.
        out: an HTML file; `report.html` in the folder of a single run, or here for several, unless given.
        suite: a suite's name, or a folder of one; the record's unless given.
        verify: check first that the figures follow from the samples, as `verify` does; the report says what
            was found.
        progress: True for bars on stderr, False for nothing, or a callback (stage, done, total).

    Returns:
        The file.

    Raises:
        LepbenchError: there is no run, the runs do not compare, or one cannot be read.
    """
    flat = [one for run in runs for one in ([run] if isinstance(run, RunLike) else run)]
    if not flat:
        raise LepbenchError("a report needs a run", "give folders or records")
    folders = [find_folder(one) for one in flat]
    chosen = (folders[0] / REPORT if len(folders) == 1 else Path(REPORT)) if out is None else Path(out)
    with follow_progress(progress) as show:
        found = []
        for number, folder in enumerate(folders):
            found.append(_read_run(folder, suite, verify))
            show(CHECKING, number + 1, len(folders))
    write(chosen, found)
    return chosen


def write_site(
    leaderboards: str | Path,
    out: str | Path,
    *,
    runs: Sequence[str | Path] = (),
    title: str = "Leaderboards",
    progress: ShowProgress = True,
) -> list[Path]:
    """Write a folder of leaderboards as static pages, as `lepbench leaderboard site` does.

    Args:
        leaderboards: holds `SUITE/PROTOCOL.csv`.
        out: an empty folder, or that of an earlier site.
        runs: folders in which runs lie, at any depth; those that lines were made of give them reports,
            pictures, cost and paired differences.
        title: what heads the first page.
        progress: True for bars on stderr, False for nothing, or a callback (stage, done, total).

    Returns:
        The runs that no line was made of.

    Raises:
        LepbenchError: a board or run cannot be read, or `out` holds something else.
    """
    found = find_runs([Path(folder) for folder in runs])
    with follow_progress(progress) as show:
        return write_pages(Path(leaderboards), Path(out), found, title=title, progress=show)


def _read_run(folder: Path, suite: str | Path | None, verify: bool) -> ReportedRun:
    record = read_record(folder)
    chosen = find_suite(record, folder, suite)
    if not verify:
        return ReportedRun(folder, record, chosen)
    try:
        found = verify_run(folder, chosen, find_protocol(record, chosen))
    except LepbenchError as error:
        return ReportedRun(folder, record, chosen, refused=error.args[0])
    return ReportedRun(folder, record, chosen, verification=found)
