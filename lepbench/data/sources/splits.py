"""Assign files to splits by their names and those of their folders."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator

from lepbench.errors import LepbenchError

SPLIT = re.compile(r"\w+(\.\w+)*")


def _writable(split: str) -> str:
    if not SPLIT.fullmatch(split):
        raise ValueError("a split is named by letters, digits and _, and dots between them")
    return split


SplitName = Annotated[str, AfterValidator(_writable)]
"""A split name that `datasets` can open; it is also used in file names."""

ALIASES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
"""Names of splits and their aliases, as in `datasets`."""
APART = re.compile(r"[-._ \d]+")
SHARD = re.compile(r"\w+(\.\w+)*-\d{5}-of-\d{5}")
"""A file that `datasets` wrote for a split of any name."""


def select_split(names: Sequence[str], split: str, place: str) -> list[str]:
    """The files, named relative to `place`, that belong to a split; all if no name contains a split.

    Raises:
        LepbenchError: none belongs to it, or the assignment is ambiguous.
    """
    wanted = ALIASES.get(split, split)
    splits = {name: list_splits(name, wanted) for name in names}
    if not any(splits.values()):
        return list(names)
    known = sorted(set().union(*splits.values()))
    chosen = [name for name in names if wanted in splits[name]]
    if not chosen:
        raise LepbenchError(f"{place} has no files of split {split!r}", f"there are: {', '.join(known)}")
    for name in names:
        if wanted in splits[name] and len(splits[name]) > 1:
            fault = f"may be of splits {' and '.join(sorted(splits[name]))}"
        elif not splits[name] and not SHARD.fullmatch(PurePosixPath(name).stem):
            fault = f"names no split, while others are of {' and '.join(known)}"
        else:
            continue
        raise LepbenchError(f"{place}: {name} {fault}", "give the path of one file, or of one split's folder")
    return chosen


def list_splits(name: str, wanted: str) -> set[str]:
    """The splits that a file's path names as words of their own: `wanted`, and those that have aliases."""
    itself = re.compile(rf"(^|[-._ ]){re.escape(wanted)}($|[-._ ])")
    found: set[str] = set()
    for part in PurePosixPath(name).with_suffix("").parts:
        words = {wanted} if itself.search(part) and wanted not in ALIASES else APART.split(part.lower())
        found |= {ALIASES.get(word, word) for word in words if word == wanted or word in ALIASES}
    return found


def alike(splits: Iterable[str], split: str) -> str | None:
    """The one of the splits that is meant by a name, itself or an alias."""
    known = list(splits)
    if split in known:
        return split
    return next((name for name in known if ALIASES.get(name, name) == ALIASES.get(split)), None)
