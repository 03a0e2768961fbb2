"""The site of a folder of leaderboards: static pages that need no server and load nothing from elsewhere."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lepbench.errors import LepbenchError
from lepbench.evaluation.figures import head_metrics
from lepbench.evaluation.layout import RECORD
from lepbench.evaluation.record import read_record
from lepbench.evaluation.terms import find_suite
from lepbench.evaluation.verification_levels import LEVELS, REDRAWN, SELF_REPORTED, VERIFIED
from lepbench.files import is_file, list_visible, make_folder, write_text
from lepbench.progress import Progress, ignore_progress
from lepbench.publishing.board_table import list_boards
from lepbench.publishing.pages.html import render_page
from lepbench.publishing.pages.report import write_report
from lepbench.publishing.pages.report_runs import ReportedRun
from lepbench.publishing.pages.site_boards import SiteBoard, SiteRun, compare_runs, read_board
from lepbench.publishing.pages.site_charts import draw_board_charts
from lepbench.publishing.pages.site_pictures import PICTURES, write_pictures
from lepbench.publishing.pages.site_tables import FIRST_SEEN, SiteRow, SiteTable, describe_pairs, make_table
from lepbench.templates import render

SUITES, MODELS, REPORTS = "suites", "models", "reports"
"""Folders of pages."""
README, INDEX = "README.md", "index.html"
LEVEL_MEANINGS = {
    SELF_REPORTED: "figures follow from the samples; pictures were not scored again, or were drawn elsewhere",
    VERIFIED: "pictures were scored again by the same judges, with the same figures",
    REDRAWN: "verified, and pictures were drawn again by the same settings",
}
"""How far a line was checked."""
GUARD_MEANING = (
    "a second judge, by which nothing ranks, looks for pictures that were made for the first; lines that it "
    "fails stand last, without a rank"
)
MADE = "Made by `lepbench leaderboard site`"
"""A line of the README by which the folder of a site is known."""
MOST_COMPARED = 24
"""Runs of a board that are compared pair by pair: time grows with the cube of their number."""


@dataclass(frozen=True)
class ModelStanding:
    """A model on a board, as its own page shows it."""

    board: SiteBoard
    table: SiteTable
    row: SiteRow
    title: str


def write_site(
    leaderboards: Path,
    out: Path,
    runs: Sequence[Path] = (),
    *,
    title: str = "Leaderboards",
    progress: Progress = ignore_progress,
) -> list[Path]:
    """Write the site of a folder of leaderboards.

    Args:
        out: an empty folder, or that of an earlier site, whose pages are replaced.
        runs: folders of finished runs. Those that a line was made of give it a report, pictures and cost, and
            the paired differences of any two.
        progress: called with (stage, done, total).

    Returns:
        The runs that no line was made of.

    Raises:
        LepbenchError: a board or run cannot be read, there is none, or `out` holds something else.
    """
    known = {run.record.id: run for run in (SiteRun(folder, read_record(folder)) for folder in runs)}
    paths = list_boards(leaderboards)
    boards = [board for path in paths.values() if (board := read_board(path, known)) is not None]
    if not boards:
        raise LepbenchError(f"{leaderboards} holds no line", "add a run with 'lepbench leaderboard add'")
    _clear(out)
    boards = [compare_runs(board, MOST_COMPARED) for board in boards]
    used = [run for board in boards for run in board.runs]
    for done, run in enumerate(used):
        progress("reports", done, len(used))
        _write_run_report(out, run)
    if used:
        progress("reports", len(used), len(used))
    pictures = {board.suite: write_pictures(out, board) for board in boards if board.runs}
    tables = {(board.suite, board.protocol): make_table(board) for board in boards}
    for suite in dict.fromkeys(board.suite for board in boards):
        _write_suite(
            out, suite, [board for board in boards if board.suite == suite], tables=tables, pictures=pictures
        )
    for model, standings in _collect_models(boards, tables).items():
        _write_model(out, model, standings)
    _write_index(out, title, boards)
    here = {run.folder for run in used}
    return [folder for folder in runs if folder not in here]


def find_runs(folders: Sequence[Path]) -> list[Path]:
    """Finished runs in folders, at any depth."""
    return sorted({path.parent for folder in folders for path in folder.rglob(RECORD)})


def _clear(out: Path) -> None:
    """Make room for a site.

    Raises:
        LepbenchError: something else is there.
    """
    make_folder(out)
    if not list_visible(out):
        return
    readme = out / README
    if not is_file(readme) or MADE not in readme.read_text(encoding="utf-8", errors="replace"):
        raise LepbenchError(f"{out} holds other files than a site", "choose another --out")
    for name in (SUITES, MODELS, REPORTS, PICTURES):
        if not (out / name).is_symlink():
            shutil.rmtree(out / name, ignore_errors=True)


def _write_run_report(out: Path, run: SiteRun) -> None:
    """The report of a run, where its suite is known."""
    try:
        suite = find_suite(run.record, run.folder)
    except LepbenchError:
        return
    write_report(out / locate_report(run), [ReportedRun(run.folder, run.record, suite)], linked=False)


def locate_report(run: SiteRun) -> str:
    """Where the report of a run lies in a site."""
    return f"{REPORTS}/{run.record.id[:16]}.html"


def locate_suite(suite: str) -> str:
    """The address of a suite's page in a site."""
    return f"{SUITES}/{quote(suite)}.html"


def locate_model(model: str) -> str:
    """The address of a model's page in a site."""
    return f"{MODELS}/{quote(model)}.html"


def _render(out: Path, path: str, template: str, **values: Any) -> None:
    """Write a page; `root` leads from it to the site's folder."""
    root = "../" * path.count("/")
    text = render_page(
        template,
        "site.js",
        root=root,
        locate_suite=lambda suite: root + locate_suite(suite),
        locate_model=lambda model: root + locate_model(model),
        find_report=lambda run: _find_report(out, root, run),
        levels=LEVELS,
        **values,
    )
    write_text(out / path, text)


def _find_report(out: Path, root: str, run: SiteRun | None) -> str:
    """The address of a run's report from a page; empty where there is none."""
    if run is None or not (out / locate_report(run)).is_file():
        return ""
    return root + locate_report(run)


def _write_suite(
    out: Path,
    suite: str,
    boards: Sequence[SiteBoard],
    tables: Mapping[tuple[str, str], SiteTable],
    pictures: Mapping[str, dict[str, Any]],
) -> None:
    shown = [
        {
            "board": board,
            "table": tables[suite, board.protocol],
            "charts": draw_board_charts(board),
            "pairs": {**describe_pairs(board), "pictures": pictures.get(suite, {})},
            "heading": head_metrics([board.metric])[board.metric],
        }
        for board in boards
    ]
    _render(
        out,
        f"{SUITES}/{suite}.html",
        "site_suite.html",
        title=suite,
        boards=shown,
        first_seen=FIRST_SEEN,
        level_meanings=list(LEVEL_MEANINGS.items()),
        guard_meaning=GUARD_MEANING,
    )


def _collect_models(
    boards: Sequence[SiteBoard], tables: Mapping[tuple[str, str], SiteTable]
) -> dict[str, list[ModelStanding]]:
    found: dict[str, list[ModelStanding]] = {}
    for board in boards:
        table = tables[board.suite, board.protocol]
        for row in table.rows:
            title = head_metrics([board.metric])[board.metric]
            found.setdefault(row.line.model, []).append(ModelStanding(board, table, row, title))
    return dict(sorted(found.items()))


def _write_model(out: Path, model: str, standings: Sequence[ModelStanding]) -> None:
    _render(out, f"{MODELS}/{model}.html", "site_model.html", title=model, standings=standings)


def _write_index(out: Path, title: str, boards: Sequence[SiteBoard]) -> None:
    models = {line.model for board in boards for line in board.lines}
    headings = {board.metric: head_metrics([board.metric])[board.metric] for board in boards}
    _render(
        out, INDEX, "site_index.html", title=title, boards=boards, models=sorted(models), headings=headings
    )
    text = render("lepbench.publishing.pages", "site_readme.md", title=title, made=MADE, boards=boards)
    write_text(out / README, text)
