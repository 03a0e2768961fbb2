"""Whether the figures of a board's line can be those of one run."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.evaluation.directions import is_of_sets
from lepbench.evaluation.figure_names import strip_label
from lepbench.evaluation.ranges import ANY, find_range, is_within
from lepbench.publishing.board_lines import FIX, BoardLine
from lepbench.publishing.flat_figures import parse_column

NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?(e[+-]?[0-9]{1,3})?")
"""As figures are written; `float` takes more."""
TOLERANT = re.compile(
    r"(?P<begin>\w*(f1|precision|recall)_)(?P<pixels>[0-9.]+)px(?P<end>(_(at|change)_.+)?(@.+)?)"
)
"""Figures that grow with their tolerance, px."""
DIGITS = 1e-5
"""Relative: figures are written to six digits."""
TIMES = 100
"""How many times its similarity the score of a caption is."""


def list_figures(columns: Sequence[str]) -> list[str]:
    """The columns that are figures: those with an interval beside them."""
    known = {*columns}
    return [name for name in columns if {f"{name}_low", f"{name}_high"} <= known]


def check_figures(where: str, line: BoardLine) -> None:
    """Refuse figures that no run has.

    Args:
        where: the line is, for errors.

    Raises:
        LepbenchError: one is no number, out of its range or its interval, or does not agree with another.
    """
    names = list_figures(list(line))
    for name in names:
        _check_figure(where, name, [line[name + end] for end in ("", "_low", "_high")])
    numbers = {name: float(line[name]) for name in names if line[name]}
    for what in (*_find_falling(numbers), *_find_other_scores(numbers)):
        raise LepbenchError(f"{where} has {what}", FIX)


def _check_figure(where: str, column: str, cells: Sequence[str]) -> None:
    """Refuse a figure that is no number, out of its range or outside its interval."""
    metric = parse_column(column)[0]
    bounds = find_range(metric)
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
    if bool(low) != bool(high):
        raise LepbenchError(f"{where} has one end of an interval of {column}", FIX)
    if low and float(low) > float(high):
        raise LepbenchError(f"{where} has an interval of {column} from {low} to {high}", FIX)
    # Means of a bounded number lie inside. Ratios may not, nor distances of sets, by smaller subsamples.
    inside = low and float(low) - DIGITS <= float(value) <= float(high) + DIGITS
    if low and bounds != ANY and not is_of_sets(metric) and not inside:
        raise LepbenchError(f"{where} has {column} {value}, outside its interval {low} to {high}", FIX)


def _find_falling(numbers: Mapping[str, float]) -> Iterator[str]:
    """Shares of lines that fall where more counts as found."""
    groups: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for name in numbers:
        if match := TOLERANT.fullmatch(name):
            groups.setdefault((match["begin"], match["end"]), []).append((float(match["pixels"]), name))
    for found in groups.values():
        ordered = [name for _, name in sorted(found)]
        for near, far in pairwise(ordered):
            if numbers[near] > numbers[far] + DIGITS:
                yield f"{near} {numbers[near]:g}, above its {far} {numbers[far]:g}"


def _find_other_scores(numbers: Mapping[str, float]) -> Iterator[str]:
    """Scores of captions that their similarity does not give.

    A score is a hundred similarities, and 0 where one is below zero: of similarities in [-1, 1] with the mean
    m those below zero add up to no more than (1 - m) / 2 a picture.
    """
    for name, mean in numbers.items():
        score = numbers.get(name.replace("clip_similarity", "clip_score", 1))
        if strip_label(name) == "clip_similarity" and score is not None:
            above = score / TIMES - mean
            if not -DIGITS <= above <= (1 - mean) / 2 + DIGITS:
                yield f"{name} {mean:g} and a score of {score:g}"


def check_blanks(path: Path, lines: Sequence[BoardLine], ranked: str | None) -> None:
    """Refuse lines that leave out a figure that others have, and one that leaves out what ranks it.

    Args:
        ranked: the column that ranks.

    Raises:
        LepbenchError: a cell is empty.
    """
    for name in list_figures(list(lines[0])) if lines else []:
        filled = [bool(line[name]) for line in lines]
        if not all(filled) and (any(filled) or name == ranked):
            model = lines[filled.index(False)]["model"]
            raise LepbenchError(f"{path} has no {name} of {model!r}", FIX)
