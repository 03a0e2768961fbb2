"""Figures as flat cells of a CSV: NAME, NAME_low, NAME_high, with the number of samples where it counts."""

from __future__ import annotations

import re

from lepbench.errors import LepbenchError
from lepbench.evaluation.directions import is_of_sets
from lepbench.evaluation.figures import Figure
from lepbench.files import format_csv

FORMULA = re.compile(r"[=+\-@\t\r]")
"""What begins a cell that spreadsheets run."""
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?(e[+-]?\d+)?")


def spread_figures(figures: dict[str, Figure]) -> dict[str, str]:
    """Figures as flat text cells NAME, NAME_low, NAME_high, to six significant digits; empty for null.

    Metrics that depend on the number of samples have it in their name, such as `kid_n64`, so that two numbers
    never share a column.
    """
    cells: dict[str, str] = {}
    for metric, figure in figures.items():
        name = f"{metric}_n{figure.n}" if is_of_sets(metric) else metric
        for suffix, number in (("", figure.value), ("_low", figure.low), ("_high", figure.high)):
            cells[name + suffix] = "" if number is None else f"{number:.6g}"
    return cells


def parse_column(column: str) -> tuple[str, int | None]:
    """The metric of a column that `spread_figures` named, and the number of samples if its name has one."""
    metric, _, count = column.rpartition("_n")
    return (metric, int(count)) if count.isdecimal() and is_of_sets(metric) else (column, None)


def format_lines(columns: list[str], lines: list[dict[str, str]]) -> str:
    """CSV of lines by column; empty where a line lacks one.

    Raises:
        LepbenchError: a spreadsheet would run a cell as a formula.
    """
    for line in lines:
        if column := find_formula(line):
            raise LepbenchError(
                f"{column} {line[column][:80]!r} is a formula to a spreadsheet", "call it otherwise"
            )
    return format_csv(columns, ([line.get(column, "") for column in columns] for line in lines))


def find_formula(line: dict[str, str]) -> str | None:
    """The first column of a line whose cell a spreadsheet would run as a formula; numbers are none."""
    found = (name for name, cell in line.items() if FORMULA.match(cell) and not NUMBER.fullmatch(cell))
    return next(found, None)
