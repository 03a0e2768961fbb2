"""The folder of cached reference conditions: what is in it, its limit, and how it is cleared."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lepbench.errors import LepbenchError
from lepbench.files import find_cache_folder, measure_folder

LIMIT = "LEPBENCH_REFERENCES_GB"
"""Environment variable for the most that is kept, in GB."""
USUAL_GB = 20.0


class Kept(NamedTuple):
    """A cached condition; `used` is when a run last took it, in seconds since 1970."""

    key: str
    bytes: int
    used: float


def find_store() -> Path:
    """The folder of cached reference conditions."""
    return find_cache_folder() / "references"


def read_limit() -> int:
    """The most bytes that are kept.

    Raises:
        LepbenchError: the variable is no number.
    """
    given = os.environ.get(LIMIT)
    try:
        gigabytes = USUAL_GB if given is None else float(given)
    except ValueError:
        gigabytes = -1.0
    if not 0 <= gigabytes < float("inf"):
        raise LepbenchError(f"${LIMIT} is {given!r}, no number of GB", "give one, such as 20")
    return int(gigabytes * 1e9)


def list_kept() -> list[Kept]:
    """Every cached condition, the one used last first."""
    folders = [path for path in find_store().glob("*") if path.is_dir()]
    found = [Kept(path.name, measure_folder(path), _find_use(path)) for path in folders]
    return sorted(found, key=lambda one: -one.used)


def _find_use(folder: Path) -> float:
    return max((path.stat().st_mtime for path in folder.glob("*.parquet")), default=0.0)


def limit_store(most: int | None = None, kept: str | None = None) -> list[Kept]:
    """Remove what was not used for longest, until no more than `most` bytes are kept; what was removed.

    Args:
        most: those of `read_limit` unless given.
        kept: key of a condition that stays in any case.
    """
    room, removed = read_limit() if most is None else most, list[Kept]()
    for one in list_kept():
        room -= one.bytes
        if room < 0 and one.key != kept:
            removed.append(one)
            room += one.bytes
    remove_kept(removed)
    return removed


def remove_kept(some: Sequence[Kept]) -> None:
    """Remove cached conditions; runs keep their pictures."""
    for one in some:
        shutil.rmtree(find_store() / one.key, ignore_errors=True)
        (find_store() / f".{one.key}.lock").unlink(missing_ok=True)
