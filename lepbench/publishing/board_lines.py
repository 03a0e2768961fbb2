"""The files of a leaderboard: a CSV of a line a model, and a JSON file of the terms that they share."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from lepbench.errors import LepbenchError
from lepbench.evaluation.directions import SIGNS, find_direction
from lepbench.files import read_json
from lepbench.publishing.board_guard import COLUMNS, has_failed
from lepbench.publishing.flat_figures import parse_column

BoardLine = dict[str, str]
NEEDED = frozenset(("model", "label", "items", "samples"))
"""Columns that every version of a board has."""
LEVEL = "level"
"""The column of how far a line was verified; boards of 0.1.0 have none."""
FIX = "restore the board, or add its runs anew"
FRONT = ("model", "backbone", "method", "sampler", "items", "samples")
LATER = (LEVEL, *COLUMNS)
"""Columns that boards of earlier versions have not."""
BACK = ("label", *LATER, "lepbench", "suite_sha256", "protocol_sha256", "record")
"""Columns before and behind the figures."""
MERGE = re.compile("<{7}|={7}|>{7}|[|]{7}")
"""What begins the lines that git writes between two versions of a file."""


def locate_terms(board: Path) -> Path:
    """Where the terms of a board are kept."""
    return board.with_suffix(".json")


def read_lines(path: Path) -> tuple[list[BoardLine], list[str]]:
    """The lines of a board and its columns; none where there is no file yet.

    Raises:
        LepbenchError: it cannot be read, or holds the marks of a merge that was not finished.
    """
    if not path.is_file():
        return [], []
    try:
        # With the mark that spreadsheets write in front.
        with path.open(encoding="utf-8-sig", newline="") as stream:
            _refuse_merge(path, stream)
            reader = csv.DictReader(stream)
            columns, lines = list(reader.fieldnames or []), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LepbenchError(f"cannot read {path}: {error}", "restore the file") from error
    if lines and not set(columns) >= NEEDED:
        lacking = ", ".join(sorted(NEEDED - set(columns)))
        raise LepbenchError(f"cannot read {path}: it has no column {lacking}", "restore the file")
    if any(None in line or None in line.values() for line in lines):
        raise LepbenchError(
            f"cannot read {path}: a line has more or fewer cells than the header", "restore the file"
        )
    return lines, columns


def _refuse_merge(path: Path, stream: TextIO) -> None:
    """Refuse a file with the marks of a merge; leave the stream at its begin."""
    marked = next((number for number, line in enumerate(stream, start=1) if MERGE.match(line)), None)
    if marked is not None:
        raise LepbenchError(f"{path} holds the marks of a merge (line {marked})", "finish the merge")
    stream.seek(0)


def read_terms(path: Path) -> dict[str, Any]:
    """The terms of a board.

    Raises:
        LepbenchError: they are missing.
    """
    terms: dict[str, Any] = read_json(locate_terms(path), "restore the file beside the board")
    known = isinstance(terms, dict) and "confidence" in terms
    if not known or not isinstance(terms.get("rank_by"), str | None):
        raise LepbenchError(f"{locate_terms(path)} holds no protocol", "restore the file beside the board")
    return terms


def sort_lines(lines: Sequence[BoardLine], rank_by: str | None) -> list[BoardLine]:
    """The lines of a board, the best first; by the models' names where no figure ranks.

    Lines whose pictures the guard found to be made for the judges come last.

    Raises:
        LepbenchError: the figure that ranks is no column.
    """
    if rank_by is None:
        return sorted(lines, key=lambda line: (has_failed(line), line["model"]))
    sign = -SIGNS[find_direction(rank_by)]
    column = find_column(lines[0], rank_by)
    assert column is not None

    def rank(line: BoardLine) -> tuple[bool, float]:
        return has_failed(line), sign * float(line[column]) if line[column] else math.inf

    return sorted(lines, key=rank)


def find_column(line: BoardLine, rank_by: str | None) -> str | None:
    """The column of the figure that ranks; None where none does.

    Raises:
        LepbenchError: there is no such column.
    """
    if rank_by is None:
        return None
    column = next((name for name in line if parse_column(name)[0] == rank_by), None)
    if column is None:
        raise LepbenchError(f"a board ranked by {rank_by} has no such column", "restore the board")
    return column
