"""Whether the files of pictures are what a run writes, and whether a condition's are pictures at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from lepbench.errors import LepbenchError
from lepbench.evaluation.conditions import CONDITIONS, REAL
from lepbench.evaluation.layout import locate_picture
from lepbench.files import require_within, sha256_file
from lepbench.images import open_header

MOST_ALIKE = 0.5
"""Share of a condition's pictures that may be one and the same, or of one colour: a safety checker blackens
some, and items differ."""


def check_stored_pictures(folder: Path, samples: pa.Table, size: int) -> None:
    """Refuse pictures that were not scored, or that no run writes.

    Args:
        samples: of which none failed.
        size: side of a picture, px.

    Raises:
        LepbenchError: a file is missing, another, a link out of the run, or no RGB picture of `size`; or most
            pictures of a condition are one and the same, or of one colour.
    """
    seen: dict[str, Counter[str]] = {}
    flat: Counter[str] = Counter()
    for row, path, digest in _list_pictures(folder, samples):
        require_within(folder, path)
        if not (path.is_file() and sha256_file(path) == digest):
            raise LepbenchError(f"{path} is missing or not the picture that was scored", "evaluate again")
        flat[row] += _check_form(path, size)
        seen.setdefault(row, Counter())[digest] += 1
    for row, counts in seen.items():
        _check_variety(folder, row, counts, flat[row])


def _list_pictures(folder: Path, samples: pa.Table) -> Iterator[tuple[str, Path, str]]:
    """Condition, file and stated hash of every picture that a condition has of its own."""
    columns = (samples[name].to_pylist() for name in ("row", "item_id", "sample_index", "png_sha256"))
    for row, item_id, index, digest in zip(*columns, strict=True):
        if CONDITIONS[row].borrows is None:
            yield row, locate_picture(folder, row, item_id, index), digest


def _check_form(path: Path, size: int) -> bool:
    """Refuse a file that is no plain picture; whether it is of one colour."""
    with open_header(path) as picture:
        if (picture.format, picture.mode, picture.size) != ("PNG", "RGB", (size, size)):
            width, height = picture.size
            raise LepbenchError(
                f"{path} is {picture.format} of {width} x {height} px in {picture.mode}, "
                f"a run writes PNG of {size} x {size} px in RGB",
                "evaluate again",
            )
        return bool((np.asarray(picture) == picture.getpixel((0, 0))).all())


def _check_variety(folder: Path, row: str, counts: Counter[str], flat: int) -> None:
    total = counts.total()
    most = counts.most_common(1)[0][1]
    if row == REAL.name or total < 2:
        return
    for number, what in ((flat, "of one colour"), (most, "one and the same")):
        if number > max(1, MOST_ALIKE * total):
            raise LepbenchError(
                f"{number} of {total} pictures of {row} in {folder} are {what}", "evaluate again"
            )
