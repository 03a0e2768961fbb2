"""What the lines of a board can be, whatever its suite and protocol are."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.evaluation.ranges import find_range, is_within
from lepbench.evaluation.verification_levels import LEVELS
from lepbench.faults import SHA256
from lepbench.publishing.board_lines import LEVEL, NEEDED, BoardLine, read_lines, read_terms, sort_lines
from lepbench.publishing.flat_figures import find_formula, parse_column

MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
HASHES = ("suite_sha256", "protocol_sha256", "record")
COMMON = ("items", "samples", "suite_sha256", "protocol_sha256")
"""Columns in which all lines of a board agree."""
REQUIRED = {*NEEDED, *COMMON, *HASHES}
ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "_": "-", ".": "-"})
"""Characters that are easily taken for one another, in small letters."""
NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?(e[+-]?[0-9]{1,3})?")
"""As figures are written; `float` takes more."""
FIX = "restore the board, or add its runs anew"


def check_lines(path: Path) -> list[BoardLine]:
    """Check the lines of a board, and return them.

    Raises:
        LepbenchError: something cannot be; the message says what and where.
    """
    lines, columns = read_lines(path)
    _check_header(path, columns)
    for number, line in enumerate(lines, start=2):
        _check_line(f"{path}, line {number}", line)
    _check_agreement(path, lines)
    check_names(path, [line["model"] for line in lines])
    expected = sort_lines(lines, read_terms(path).get("rank_by")) if lines else []
    if [line["model"] for line in expected] != [line["model"] for line in lines]:
        first = next(b["model"] for a, b in zip(lines, expected, strict=True) if a is not b)
        raise LepbenchError(f"{path} is out of order: {first!r} stands too low", FIX)
    return lines


def _check_header(path: Path, columns: Sequence[str]) -> None:
    if lacking := sorted(REQUIRED - set(columns)):
        raise LepbenchError(f"{path} has no column {lacking[0]!r}", FIX)
    twice = [name for name in columns if columns.count(name) > 1]
    if twice:
        raise LepbenchError(f"{path} has two columns {twice[0]!r}", FIX)


def _check_line(where: str, line: BoardLine) -> None:
    """Refuse a line of which a cell cannot be."""
    for column in ("items", "samples"):
        if not re.fullmatch("[1-9][0-9]{0,8}", line[column]):
            raise LepbenchError(f"{where} has {column} {line[column][:80]!r}, no number of them", FIX)
    for column in HASHES:
        if not re.fullmatch(SHA256, line[column]):
            raise LepbenchError(f"{where} has {column} {line[column][:80]!r}, no SHA-256", FIX)
    if not MODEL_NAME.fullmatch(line["model"]):
        raise LepbenchError(f"{where} has a model {line['model'][:80]!r}, no name of one", FIX)
    if line.get(LEVEL) not in (None, *LEVELS):
        raise LepbenchError(f"{where} has level {line[LEVEL][:80]!r}", f"write one of: {', '.join(LEVELS)}")
    if formula := find_formula(line):
        raise LepbenchError(f"{where} has a formula in column {formula}", FIX)
    for column in line:
        if f"{column}_low" in line:
            _check_figure(where, column, [line[column + end] for end in ("", "_low", "_high")])


def _check_figure(where: str, column: str, cells: Sequence[str]) -> None:
    """Refuse a figure that is no number, out of its range, or whose interval is turned round."""
    bounds = find_range(parse_column(column)[0])
    for cell in filter(None, cells):
        number = float(cell) if NUMBER.fullmatch(cell) else math.nan
        if not math.isfinite(number):
            raise LepbenchError(f"{where} has {column} {cell[:80]!r}, no finite number", FIX)
        if not is_within(number, bounds):
            raise LepbenchError(
                f"{where} has {column} {cell}, no number of {bounds[0]:g} to {bounds[1]:g}", FIX
            )
    value, low, high = cells
    if (low or high) and not value:
        raise LepbenchError(f"{where} has an interval of {column} and no figure", FIX)
    if low and high and float(low) > float(high):
        raise LepbenchError(f"{where} has an interval of {column} from {low} to {high}", FIX)


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
    """A name without what a reader overlooks: case, and characters that look alike."""
    return name.casefold().translate(ALIKE).replace("rn", "m").replace("vv", "w")
