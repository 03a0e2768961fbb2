"""The figures that a board's protocol makes, and the places where boards and their terms can lie."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lepbench.config import parse_config
from lepbench.errors import LepbenchError
from lepbench.evaluation.figures import Figure
from lepbench.evaluation.judges import SHIPPED
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.summary import list_metrics
from lepbench.files import is_hidden
from lepbench.publishing.board_lines import BACK, FIX, FRONT, LATER, locate_terms
from lepbench.publishing.flat_figures import spread_figures

FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
SUFFIXES = (".csv", ".json")
ABOUT = "README.md"


def parse_terms(path: Path, terms: dict[str, Any]) -> Protocol | None:
    """The protocol that the terms beside a board are; None where they leave out what a judge is found by.

    Args:
        path: of the board.

    Raises:
        LepbenchError: they are no terms.
    """
    given = {name: value for name, value in terms.items() if name != "suite_sha256"}
    judges = given.get("judges") if isinstance(given.get("judges"), list) else None
    named = (
        [judge.get("name") for judge in judges if isinstance(judge, dict)] if isinstance(judges, list) else []
    )
    if not all(str(name).startswith(SHIPPED) for name in named):
        return None
    return parse_config(given, Protocol, str(locate_terms(path)), FIX)


def check_columns(path: Path, columns: Sequence[str], protocol: Protocol, samples: int) -> None:
    """Refuse columns that a run by a protocol does not have.

    Raises:
        LepbenchError: one is missing, or is of no figure of the protocol.
    """
    try:
        metrics = list_metrics(protocol)
    except LepbenchError:
        return  # a measure of a plug-in that is not installed here
    figures = {name: Figure(value=None, n=samples) for name in metrics}
    expected = [*FRONT, *spread_figures(figures), *BACK]
    expected = [name for name in expected if name in columns or name not in LATER]
    if lacking := [name for name in expected if name not in columns]:
        raise LepbenchError(f"{path} has no column {lacking[0]!r}", FIX)
    if strange := [name for name in columns if name not in expected]:
        raise LepbenchError(f"{path} has a column {strange[0][:80]!r}, of no figure of {protocol.name}", FIX)
    if list(columns) != expected:
        raise LepbenchError(f"{path} has its columns in another order than {protocol.name}", FIX)


def check_places(leaderboards: Path) -> None:
    """Refuse files of a folder of boards that are no boards, links, and names that are not plain.

    Raises:
        LepbenchError: one is there.
    """
    for name in _walk(leaderboards):
        path, parts = leaderboards / name, Path(name).parts
        if path.is_symlink():
            raise LepbenchError(f"{path} is a link", "put the file itself there")
        if path.is_dir() or parts == (ABOUT,):
            continue
        if len(parts) != 2 or path.suffix not in SUFFIXES:
            raise LepbenchError(f"{path} belongs to no board SUITE/PROTOCOL.csv", "move it elsewhere")
        if path.suffix != ".csv" and not path.with_suffix(".csv").is_file():
            raise LepbenchError(f"{path} belongs to no board SUITE/PROTOCOL.csv", "move it elsewhere")
        for part in (parts[0], path.stem):
            if not FOLDER_NAME.fullmatch(part):
                raise LepbenchError(f"{str(path)!a} has {part!a}, no name of letters and digits", FIX)


def _walk(folder: Path) -> Iterable[str]:
    """Files and folders at any depth, relative to a folder; hidden ones are no boards and are left out."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        here = Path(root).relative_to(folder)
        yield from ((here / name).as_posix() for name in [*folders, *sorted(names)] if not is_hidden(name))
