"""Check the files of leaderboards: whether a board can be what runs were added to, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lepbench.config import parse_config
from lepbench.errors import LepbenchError
from lepbench.evaluation.judges import SHIPPED
from lepbench.evaluation.parts import hash_protocol
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import OURS, select_protocol
from lepbench.publishing.board_cells import FIX, check_lines
from lepbench.publishing.board_lines import BoardLine, locate_terms, read_terms
from lepbench.suites import Suite, list_suites, load_suite


def check_boards(leaderboards: Path) -> list[str]:
    """Check every board of a folder; their names, `SUITE/PROTOCOL`.

    Raises:
        LepbenchError: a board is wrong, or a file is there that belongs to none.
    """
    if not leaderboards.is_dir():
        raise LepbenchError(f"there is no folder {leaderboards}", "give a folder of leaderboards")
    boards = sorted(leaderboards.glob("*/*.csv"))
    for path in sorted([*leaderboards.rglob("*.csv"), *leaderboards.rglob("*.json")]):
        if path.with_suffix(".csv") not in boards:
            raise LepbenchError(f"{path} belongs to no board SUITE/PROTOCOL.csv", "move it elsewhere")
    for path in boards:
        check_board(path)
    return [f"{path.parent.name}/{path.stem}" for path in boards]


def check_board(path: Path) -> None:
    """Check a board and its terms.

    Raises:
        LepbenchError: something cannot be; the message says what and where.
    """
    _check_terms(path, check_lines(path), read_terms(path))


def _check_terms(path: Path, lines: Sequence[BoardLine], terms: dict[str, Any]) -> None:
    """Hold the terms beside a board against its lines, and both against the suite and protocol that ship."""
    if terms.get("name") != path.stem:
        raise LepbenchError(f"{locate_terms(path)} holds protocol {terms.get('name')!r}", FIX)
    stated = {"suite_sha256": terms.get("suite_sha256"), "protocol_sha256": _hash_terms(path, terms)}
    if path.parent.name in list_suites():
        suite = load_suite(path.parent.name)
        stated["suite_sha256"] = suite.sha256
        if path.stem.startswith(OURS):
            protocol = select_protocol(suite, path.stem)
            stated["protocol_sha256"] = hash_protocol(protocol)
            _compare_terms(path, terms, suite, protocol)
    for column, digest in stated.items():
        if lines and digest is not None and lines[0][column] != digest:
            raise LepbenchError(f"{path} has {column} {lines[0][column]}, it is {digest}", FIX)


def _compare_terms(path: Path, terms: dict[str, Any], suite: Suite, protocol: Protocol) -> None:
    here = {"suite_sha256": suite.sha256, **protocol.describe()}
    for name in [*here, *terms]:
        if terms.get(name) != here.get(name):
            raise LepbenchError(
                f"{locate_terms(path)} has {name} {str(terms.get(name))[:80]}, "
                f"{protocol.name} has {str(here.get(name))[:80]}",
                FIX,
            )


def _hash_terms(path: Path, terms: dict[str, Any]) -> str | None:
    """The hash of the protocol that the terms are; None where they leave out what a judge is found by."""
    given = {name: value for name, value in terms.items() if name != "suite_sha256"}
    judges = given.get("judges")
    named = (
        [judge.get("name") for judge in judges if isinstance(judge, dict)] if isinstance(judges, list) else []
    )
    if not all(str(name).startswith(SHIPPED) for name in named):
        return None
    return hash_protocol(parse_config(given, Protocol, str(locate_terms(path)), FIX))
