"""The files of a leaderboard: a CSV of its lines, and beside it the terms that they share."""

from __future__ import annotations

import csv
from pathlib import Path

from lepbench.errors import LepbenchError

BoardLine = dict[str, str]
NEEDED = frozenset(("model", "label", "items", "samples"))
"""Columns that every version of a board has."""


def locate_terms(board: Path) -> Path:
    """Where the terms of a board are kept."""
    return board.with_suffix(".json")


def read_lines(path: Path) -> tuple[list[BoardLine], list[str]]:
    """The lines of a board and its columns; none where there is no file yet.

    Raises:
        LepbenchError: it cannot be read.
    """
    if not path.is_file():
        return [], []
    try:
        # With the mark that spreadsheets write in front.
        with path.open(encoding="utf-8-sig", newline="") as stream:
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
