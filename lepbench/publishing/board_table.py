"""A leaderboard as a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lepbench.errors import LepbenchError
from lepbench.evaluation.figures import Figure, choose_main_metrics, head_metrics
from lepbench.files import read_json
from lepbench.publishing.board_file import BoardLine, locate_terms, read_lines
from lepbench.publishing.flat_figures import parse_column
from lepbench.publishing.results import Line, ResultsTable, choose_metrics, find_best, make_columns
from lepbench.registry import suggest_name


def list_boards(leaderboards: Path) -> dict[str, Path]:
    """The boards of a folder by name, `SUITE/PROTOCOL`."""
    return {f"{path.parent.name}/{path.stem}": path for path in sorted(leaderboards.glob("*/*.csv"))}


def find_board(leaderboards: Path, name: str) -> Path:
    """The board of a name, `SUITE/PROTOCOL`, with or without `.csv`.

    Raises:
        LepbenchError: there is none.
    """
    boards = list_boards(leaderboards)
    name = name.removesuffix(".csv")
    if name not in boards:
        raise LepbenchError(
            f"{leaderboards} has no leaderboard {name!r}",
            suggest_name(name, boards) if boards else "add a run with 'lepbench leaderboard add'",
        )
    return boards[name]


def describe_boards(leaderboards: Path) -> list[str]:
    """A sentence a board: its name, its models, and what ranks them."""
    return [
        f"{name}  models: {len(read_lines(path)[0])}, {_describe_rank(path, read_terms(path))}"
        for name, path in list_boards(leaderboards).items()
    ]


def tabulate_board(path: Path, *, metrics: Sequence[str] = ()) -> ResultsTable:
    """A line a model, in the order of the board.

    The best figures are marked where a figure ranks; differences are not tested, samples being elsewhere.

    Args:
        metrics: figures by name, or by name without judge; the main ones unless given.

    Raises:
        LepbenchError: the board cannot be read, or has no such figure.
    """
    terms = read_terms(path)
    found, _ = read_lines(path)
    if not found:
        raise LepbenchError(f"{path} has no models", "add a run with 'lepbench leaderboard add'")
    try:
        lines = [Line(line["model"], read_figures(line)) for line in found]
    except ValueError as error:
        raise LepbenchError(f"cannot read {path}: {error}", "restore the file") from error
    known = lines[0].figures
    chosen = choose_metrics(metrics, known) if metrics else list(choose_main_metrics(known))
    ranked = terms.get("rank_by") is not None
    return ResultsTable(
        title=f"{path.parent.name} by {path.stem}",
        columns=make_columns(chosen, known),
        lines=lines,
        best=frozenset((name, metric) for metric in chosen if ranked for name in find_best(lines, metric)),
        marks="{best}: best; differences are not tested" if ranked else "",
        confidence=float(terms["confidence"]),
        notes=[_describe_rank(path, terms), *_describe_lines(found)],
    )


def read_terms(path: Path) -> dict[str, Any]:
    """The terms of a board.

    Raises:
        LepbenchError: they are missing.
    """
    terms = read_json(locate_terms(path), "restore the file beside the board")
    if not isinstance(terms, dict) or "confidence" not in terms:
        raise LepbenchError(f"{locate_terms(path)} holds no protocol", "restore the file beside the board")
    return terms


def read_figures(line: BoardLine) -> dict[str, Figure]:
    """The figures of a board's line, as `spread_figures` wrote them."""
    figures = {}
    for column in line:
        if f"{column}_low" in line:
            metric, n = parse_column(column)
            value, low, high = (line[column + end] for end in ("", "_low", "_high"))
            figures[metric] = Figure(
                value=_read_number(value),
                low=_read_number(low),
                high=_read_number(high),
                n=int(line["samples"]) if n is None else n,
            )
    return figures


def _read_number(cell: str) -> float | None:
    return float(cell) if cell else None


def _describe_rank(path: Path, terms: dict[str, Any]) -> str:
    if "rank_by" not in terms:
        return "its terms are of an earlier version and do not say what ranks"
    rank_by = terms["rank_by"]
    if rank_by is None:
        return f"unranked: no figure of {path.stem} ranks"
    return f"ranked by {head_metrics([rank_by])[rank_by]}"


def _describe_lines(lines: Sequence[BoardLine]) -> list[str]:
    first = lines[0]
    labels = dict.fromkeys(line["label"] for line in lines)
    named = [
        label
        if len(labels) == 1
        else f"{', '.join(x['model'] for x in lines if x['label'] == label)}: {label}"
        for label in labels
    ]
    return [f"{first['samples']} samples of {first['items']} items", *named]
