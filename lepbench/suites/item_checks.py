"""What the items of a suite must be, whoever wrote its file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from lepbench.errors import LepbenchError

NEEDED = ("item_id", "prompt", "sketch")
"""Columns that every item fills."""
NAME = re.compile(r"(?!\.)[^/\\\x00-\x1f\x7f]+")
LONGEST = 200
"""Bytes of an `item_id`, which is part of the names of files."""
MAPS = {"b": ("sketch", "contour", "mask", "weighted", "given"), "u": ("image", "strokes", "whole")}
"""Columns of pictures by the kind of their pixels, bool or whole numbers."""
AGAIN = "restore the suite's files, or make it again"


def check_names(path: Path, names: Sequence[str]) -> None:
    """Refuse names that no file can have, or that two items share.

    Args:
        path: of the items.

    Raises:
        LepbenchError: there is one.
    """
    if odd := next((name for name in names if not _is_name(name)), None):
        raise LepbenchError(f"{path}: {odd!r} can be no item's name, which is part of files' names", AGAIN)
    if len(set(names)) < len(names):
        raise LepbenchError(f"{path} has two items of one name", AGAIN)


def _is_name(name: str) -> bool:
    return bool(NAME.fullmatch(name)) and len(name.encode()) <= LONGEST


def check_maps(maps: Mapping[str, NDArray[Any] | None]) -> None:
    """Refuse pictures of another kind than their columns have, or of another size than the sketch.

    Raises:
        ValueError: there is one.
    """
    height, width = maps["sketch"].shape[:2] if maps["sketch"] is not None else (0, 0)
    for kind, names in MAPS.items():
        for name in names:
            found = maps.get(name)
            shape = (height, width, 3) if name == "image" else (height, width)
            if found is not None and (found.dtype.kind != kind or found.shape != shape):
                raise ValueError(
                    f"its {name} is {found.dtype} {found.shape}, and its sketch {width}x{height}"
                )
