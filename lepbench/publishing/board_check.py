"""Check the files of leaderboards: whether a board can be what runs were added to, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lepbench.errors import LepbenchError
from lepbench.evaluation.parts import hash_protocol
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import OURS, select_protocol
from lepbench.publishing.board_cells import check_lines, fold_name
from lepbench.publishing.board_columns import check_columns, check_places, parse_terms
from lepbench.publishing.board_lines import FIX, LEVEL, BoardLine, locate_terms, read_lines, read_terms
from lepbench.suites import Suite, list_suites, load_suite


def check_boards(leaderboards: Path) -> list[str]:
    """Check every board of a folder; their names, `SUITE/PROTOCOL`.

    Raises:
        LepbenchError: a board is wrong, or a file is there that belongs to none.
    """
    if not leaderboards.is_dir():
        raise LepbenchError(f"there is no folder {leaderboards}", "give a folder of leaderboards")
    check_places(leaderboards)
    boards = sorted(leaderboards.glob("*/*.csv"))
    check_suites([path.parent.name for path in boards])
    for path in boards:
        if LEVEL not in read_lines(path)[1]:
            raise LepbenchError(f"{path} has no column {LEVEL!r}", "add its runs anew")
        check_board(path)
    return [f"{path.parent.name}/{path.stem}" for path in boards]


def check_suites(names: Iterable[str]) -> None:
    """Refuse names of suites that a reader takes for one another, or for one that ships.

    Raises:
        LepbenchError: two look alike.
    """
    seen = {fold_name(name): name for name in list_suites()}
    for name in names:
        other = seen.setdefault(fold_name(name), name)
        if other != name:
            raise LepbenchError(f"the board's suite {name!r} looks like {other!r}", "give it another name")


def check_board(path: Path) -> None:
    """Check a board and its terms.

    Raises:
        LepbenchError: something cannot be; the message says what and where.
    """
    lines, terms = check_lines(path), read_terms(path)
    protocol = _check_terms(path, lines, terms)
    if protocol is not None:
        check_columns(path, read_lines(path)[1], protocol, int(lines[0]["samples"]))


def _check_terms(path: Path, lines: Sequence[BoardLine], terms: dict[str, Any]) -> Protocol | None:
    """Hold the terms beside a board against its lines, and both against the suite and protocol that ship.

    Returns:
        The protocol; None where the terms leave out what its judges are found by.
    """
    if terms.get("name") != path.stem:
        raise LepbenchError(f"{locate_terms(path)} holds protocol {terms.get('name')!r}", FIX)
    if not path.stem.startswith(OURS) and fold_name(path.stem).startswith(fold_name(OURS)):
        raise LepbenchError(f"{path} is called like a protocol that ships", f"name it without {OURS!r}")
    protocol = parse_terms(path, terms)
    stated = {"suite_sha256": terms.get("suite_sha256")}
    if path.parent.name in list_suites():
        suite = load_suite(path.parent.name)
        stated["suite_sha256"] = suite.sha256
        _check_items(path, lines, suite)
        if path.stem.startswith(OURS):
            protocol = select_protocol(suite, path.stem)
            _compare_terms(path, terms, suite, protocol)
    if protocol is not None:
        stated["protocol_sha256"] = hash_protocol(protocol)
    for column, digest in stated.items():
        if lines[0][column] != digest:
            raise LepbenchError(f"{path} has {column} {lines[0][column]}, it is {digest}", FIX)
    return protocol


def _check_items(path: Path, lines: Sequence[BoardLine], suite: Suite) -> None:
    """Refuse a board of other items than a run on the suite can have."""
    items = int(lines[0]["items"])
    held, least = map(suite.count_originals, (items, suite.definition.default_items))
    if items > len(suite) or held < least:
        raise LepbenchError(
            f"{path} has {items} items of {suite.name}, of which a board takes {least} to {len(suite)}", FIX
        )


def _compare_terms(path: Path, terms: dict[str, Any], suite: Suite, protocol: Protocol) -> None:
    here = {"suite_sha256": suite.sha256, **protocol.describe()}
    for name in [*here, *terms]:
        if terms.get(name) != here.get(name):
            raise LepbenchError(
                f"{locate_terms(path)} has {name} {str(terms.get(name))[:80]}, "
                f"{protocol.name} has {str(here.get(name))[:80]}",
                FIX,
            )
