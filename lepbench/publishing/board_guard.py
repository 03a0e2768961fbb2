"""What a board says of the guard: its figures and its word, in columns behind those of the protocol."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lepbench.errors import LepbenchError
from lepbench.evaluation.verification_levels import BOUNDS

if TYPE_CHECKING:
    from lepbench.evaluation.guard import GuardReport

GUARD = "guard"
"""The column of what the guard found: `passed`, `failed: ` and bounds, or nothing where it did not look."""
SHOWN = ("guard_skill_gap", "guard_skill_gain", "guard_kid_loss", "guard_class_loss", "guard_copied")
COLUMNS = (*SHOWN, GUARD)
PASSED, FAILED = "passed", "failed: "
WORD = re.compile(f"({PASSED}|{FAILED}({'|'.join(BOUNDS)})(, ({'|'.join(BOUNDS)}))*)?")
NUMBER = re.compile(r"(-?[0-9]{1,6}\.[0-9]{4})?")


def write_guard(report: GuardReport | None) -> dict[str, str]:
    """The cells of a line; empty where no guard looked at its pictures."""
    if report is None:
        return dict.fromkeys(COLUMNS, "")
    found = (report.skill_gap, report.skill_gain, report.kid_loss, report.class_loss)
    numbers = (*(None if one is None else one.value for one in found), report.copied)
    cells = ("" if number is None else f"{number:.4f}" for number in numbers)
    word = FAILED + ", ".join(report.failed) if report.failed else PASSED
    return {**dict(zip(SHOWN, cells, strict=True)), GUARD: word}


def has_failed(line: Mapping[str, str]) -> bool:
    """Whether the guard found the pictures of a line to be made for the judges."""
    return line.get(GUARD, "").startswith(FAILED)


def check_guard(where: str, line: Mapping[str, str], fix: str) -> None:
    """Refuse cells that no guard writes.

    Raises:
        LepbenchError: one is there; the message says where.
    """
    for column in COLUMNS:
        cell = line.get(column, "")
        if not (WORD if column == GUARD else NUMBER).fullmatch(cell):
            raise LepbenchError(f"{where} has {column} {cell[:80]!r}", fix)
    numbers = [line.get(column, "") for column in SHOWN]
    if any(numbers) != bool(line.get(GUARD)):
        raise LepbenchError(f"{where} has figures of the guard without its word, or its word alone", fix)
