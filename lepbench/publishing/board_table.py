"""A leaderboard as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from lepbench.errors import LepbenchError
from lepbench.evaluation.figures import Figure, choose_main_metrics, head_metrics
from lepbench.evaluation.verification_levels import MEANINGS, SELF_REPORTED
from lepbench.publishing.board_guard import GUARD, has_failed
from lepbench.publishing.board_lines import LEVEL, BoardLine, read_lines, read_terms
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


class BoardSummary(NamedTuple):
    """A board in a line: its name, the number of its models, and what ranks them."""

    board: str
    models: int
    rank: str

    def __str__(self) -> str:
        return f"{self.board}  models: {self.models}, {self.rank}"


def describe_boards(leaderboards: Path) -> list[BoardSummary]:
    """What every board is.

    Raises:
        LepbenchError: there are none.
    """
    boards = list_boards(leaderboards)
    if not boards:
        raise LepbenchError(f"{leaderboards} holds no board", "add a run with 'lepbench leaderboard add'")
    return [
        BoardSummary(name, len(read_lines(path)[0]), describe_rank(path, read_terms(path)))
        for name, path in boards.items()
    ]


def tabulate_board(path: Path, *, metrics: Sequence[str] = ()) -> ResultsTable:
    """A line a model, in the order of the board. Apart below those that were checked are the self-reported
    ones, and those whose pictures the guard found to be made for the judges.

    The best figures are marked where a figure ranks, of the lines that were checked if there are any;
    differences are not tested, samples being elsewhere.

    Args:
        metrics: figures by name, or by name without judge; the main ones unless given.

    Raises:
        LepbenchError: the board cannot be read, or has no such figure.
    """
    terms = read_terms(path)
    found, _ = read_lines(path)
    if not found:
        raise LepbenchError(f"{path} has no models", "add a run with 'lepbench leaderboard add'")
    checked, apart = split_lines(found)
    try:
        lines = [Line(line["model"], read_figures(line)) for line in (*checked, *apart)]
        confidence = float(terms["confidence"])
    except (ValueError, TypeError) as error:
        raise LepbenchError(f"cannot read {path}: {error}", "restore the file") from error
    except KeyError as error:
        raise LepbenchError(f"cannot read {path}: it has no column {error}", "restore the file") from error
    compared = lines[: len(checked)] or lines
    known = lines[0].figures
    main = (name for name in choose_main_metrics(known) if _is_known(lines, name))
    chosen = choose_metrics(metrics, known) if metrics else list(main)
    ranked = terms.get("rank_by") is not None
    return ResultsTable(
        title=f"{path.parent.name} by {path.stem}",
        columns=make_columns(chosen, known),
        lines=lines,
        best=frozenset((name, metric) for metric in chosen if ranked for name in find_best(compared, metric)),
        marks="{best}: best; differences are not tested" if ranked else "",
        confidence=confidence,
        notes=[describe_rank(path, terms), *_describe_lines([*checked, *apart])],
    )


def _is_known(lines: Sequence[Line], metric: str) -> bool:
    return any(line.figures[metric].value is not None for line in lines)


def split_lines(lines: Sequence[BoardLine]) -> tuple[list[BoardLine], list[BoardLine]]:
    """The lines that were checked as far as a level says and did not fail, and the others."""
    checked = [
        line for line in lines if line.get(LEVEL, SELF_REPORTED) != SELF_REPORTED and not has_failed(line)
    ]
    return checked, [line for line in lines if line not in checked]


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


def describe_rank(path: Path, terms: dict[str, Any]) -> str:
    """What ranks a board, or that nothing does."""
    if "rank_by" not in terms:
        return "its terms are of an earlier version and do not say what ranks"
    rank_by = terms["rank_by"]
    if rank_by is None:
        return f"unranked: no figure of {path.stem} ranks"
    return f"ranked by {head_metrics([rank_by])[rank_by]}"


def _describe_lines(lines: Sequence[BoardLine]) -> list[str]:
    first = lines[0]
    levels = _list_models(lines, LEVEL, MEANINGS) if LEVEL in first else []
    count = f"{first['samples']} samples of {first['items']} items"
    failed = [f"{line['model']}: guard {line[GUARD]} (docs/metrics.md)" for line in lines if has_failed(line)]
    return [count, *_list_models(lines, "label"), *levels, *failed]


def _list_models(
    lines: Sequence[BoardLine], column: str, meanings: Mapping[str, str] = MappingProxyType({})
) -> list[str]:
    """Each value of a column with what it means, after the models that have it where there are several."""
    values = dict.fromkeys(line[column] for line in lines)
    said = {value: f"{value} ({meanings[value]})" if value in meanings else value for value in values}
    if len(values) == 1:
        return list(said.values())
    models = {value: ", ".join(line["model"] for line in lines if line[column] == value) for value in values}
    return [f"{models[value]}: {said[value]}" for value in values]
