"""What the lines of a board can be, whatever its suite and protocol are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.evaluation.verification_levels import LEVELS
from lepbench.faults import SHA256
from lepbench.publishing.board_figures import check_blanks, check_figures, list_figures
from lepbench.publishing.board_guard import check_guard
from lepbench.publishing.board_lines import (
    BACK,
    FIX,
    FRONT,
    LATER,
    LEVEL,
    BoardLine,
    find_column,
    read_lines,
    read_terms,
    sort_lines,
)
from lepbench.publishing.board_texts import check_texts
from lepbench.publishing.flat_figures import find_formula

MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
HASHES = ("suite_sha256", "protocol_sha256", "record")
COMMON = ("items", "samples", "suite_sha256", "protocol_sha256")
"""Columns in which all lines of a board agree."""
REQUIRED = {*FRONT, *BACK} - {*LATER}
ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "_": "-", ".": "-"})
"""Characters that are easily taken for one another, in small letters."""


def check_lines(path: Path) -> list[BoardLine]:
    """Check the lines of a board, and return them.

    Raises:
        LepbenchError: something cannot be; the message says what and where.
    """
    lines, columns = read_lines(path)
    _check_header(path, columns)
    if not lines:
        raise LepbenchError(f"{path} has no lines", "remove it, or add a run")
    for number, line in enumerate(lines, start=2):
        check_line(f"{path}, line {number}", line)
    _check_agreement(path, lines)
    check_names(path, [line["model"] for line in lines])
    rank_by = read_terms(path).get("rank_by")
    check_blanks(path, lines, find_column(lines[0], rank_by))
    expected = sort_lines(lines, rank_by)
    if [line["model"] for line in expected] != [line["model"] for line in lines]:
        first = next(b["model"] for a, b in zip(lines, expected, strict=True) if a is not b)
        raise LepbenchError(f"{path} is out of order: {first!r} stands too low", FIX)
    return lines


def _check_header(path: Path, columns: Sequence[str]) -> None:
    twice = [name for name in columns if columns.count(name) > 1]
    if twice:
        raise LepbenchError(f"{path} has two columns {twice[0]!r}", FIX)
    if lacking := sorted(REQUIRED - set(columns)):
        raise LepbenchError(f"{path} has no column {lacking[0]!r}", FIX)
    figures = (name + end for name in list_figures(columns) for end in ("", "_low", "_high"))
    if strange := sorted({*columns} - {*FRONT, *BACK, *figures}):
        raise LepbenchError(f"{path} has a column {strange[0][:80]!r} of no figure with an interval", FIX)


def check_line(where: str, line: BoardLine) -> None:
    """Refuse a line of which a cell cannot be.

    Args:
        where: it is, for errors.

    Raises:
        LepbenchError: a number, hash, name, text or figure is none.
    """
    for column in ("items", "samples"):
        if not re.fullmatch("[1-9][0-9]{0,8}", line[column]):
            raise LepbenchError(f"{where} has {column} {line[column][:80]!r}, no number of them", FIX)
    if int(line["samples"]) % int(line["items"]):
        raise LepbenchError(f"{where} has {line['samples']} samples of {line['items']} items", FIX)
    for column in HASHES:
        if not re.fullmatch(SHA256, line[column]) or len({*line[column]}) == 1:
            raise LepbenchError(f"{where} has {column} {line[column][:80]!r}, no SHA-256", FIX)
    if not MODEL_NAME.fullmatch(line["model"]) or not line["model"][-1].isalnum():
        raise LepbenchError(f"{where} has a model {line['model'][:80]!r}, no name of one", FIX)
    if line.get(LEVEL) not in (None, *LEVELS):
        raise LepbenchError(f"{where} has level {line[LEVEL][:80]!r}", f"write one of: {', '.join(LEVELS)}")
    if formula := find_formula(line):
        raise LepbenchError(f"{where} has a formula in column {formula}", FIX)
    check_texts(where, line)
    check_guard(where, line, FIX)
    check_figures(where, line)


def _check_agreement(path: Path, lines: Sequence[BoardLine]) -> None:
    for column in COMMON:
        found = sorted({line[column] for line in lines})
        if len(found) > 1:
            raise LepbenchError(f"{path} has lines with {column} {found[0]} and {found[1]}", FIX)
    records = [line["record"] for line in lines]
    if twice := [record for record in records if records.count(record) > 1]:
        raise LepbenchError(f"{path} has record {twice[0]} twice", FIX)


def check_names(path: Path, names: Sequence[str]) -> None:
    """Refuse two models of one name, or of names that are easily taken for one another.

    Raises:
        LepbenchError: there are two.
    """
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(fold_name(name), name)
        if other == name and names.count(name) > 1:
            raise LepbenchError(f"{path} has model {name!r} twice", FIX)
        if other != name:
            raise LepbenchError(f"{path} has models {other!r} and {name!r}, which look alike", "rename one")


def fold_name(name: str) -> str:
    """A name without what a reader overlooks: case, doubled hyphens, and characters that look alike."""
    folded = name.casefold().translate(ALIKE).replace("rn", "m").replace("nn", "m").replace("vv", "w")
    return re.sub("-+", "-", folded).strip("-")
