"""The emoji as one Parquet file of small pictures, each with its set, licence and attribution."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lepbench.embedded import ASSETS
from lepbench.emoji.captions import write_caption
from lepbench.emoji.packages import find_document, find_file, list_subjects
from lepbench.emoji.render import read_openmoji_lines, render_emoji
from lepbench.emoji.sets import SETS
from lepbench.emoji.splits import find_split
from lepbench.files import atomic_path
from lepbench.images import Pixels, encode_webp, open_rgb
from lepbench.parquet import check_types, read_bounded
from lepbench.strokes import Points

SHIPPED = ASSETS / "emoji-corpus@1" / "emoji.parquet"
SIZE = 64
"""Side of the pictures that ship, px."""
TEXT = ("id", "set", "subject", "code", "group", "kind", "split", "caption", "licence", "attribution")
SCHEMA = pa.schema([
    *((name, pa.string()) for name in TEXT),
    ("image", pa.binary()),
    ("lines", pa.list_(pa.list_(pa.int16()))),
])  # fmt: skip
"""`image` is a lossless WebP; `lines` are the polylines of the line drawing in drawing order, each x, y, x,
y, ... in units of 1 / `UNITS` px of a picture of `SIZE` px, and null where a set has no line drawings."""
UNITS = 100
FIX = "install lepbench again, or write the file anew"


@dataclass(frozen=True)
class EmojiTable:
    """N pictures; each list holds one value a picture.

    Attributes:
        rows: the text columns by their name.
        images: encoded.
        stored_lines: as the file has them.
    """

    rows: dict[str, list[str]]
    images: list[bytes]
    stored_lines: list[list[list[int]] | None]

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def pixels(self) -> Pixels:
        """uint8 [N, H, W, 3]."""
        return np.stack([np.asarray(open_rgb(image)) for image in self.images])

    def lines(self, row: int, size: int = SIZE) -> list[Points] | None:
        """The line drawing in px of a picture of `size` px; None where the set has none."""
        stored = self.stored_lines[row]
        if stored is None:
            return None
        return [np.array(line, float).reshape(-1, 2) * (size / SIZE / UNITS) for line in stored]

    def take(self, rows: Sequence[int]) -> EmojiTable:
        """The pictures at `rows`."""
        return EmojiTable(
            {name: [values[row] for row in rows] for name, values in self.rows.items()},
            [self.images[row] for row in rows],
            [self.stored_lines[row] for row in rows],
        )

    def select(
        self, splits: Sequence[str], groups: Sequence[str] = (), sets: Sequence[str] = ()
    ) -> EmojiTable:
        """The pictures of some splits, and of some groups and sets where they are given."""
        asked = {"split": splits, "group": groups, "set": sets}
        wanted = {column: allowed for column, allowed in asked.items() if allowed}
        return self.take([
            row
            for row in range(len(self))
            if all(self.rows[column][row] in allowed for column, allowed in wanted.items())
        ])  # fmt: skip


def load_emoji(path: Path = SHIPPED) -> EmojiTable:
    """Read a file that `write_emoji` wrote; the shipped one unless given.

    Raises:
        LepbenchError: it cannot be read, or lacks a column.
    """
    table = read_bounded(path, fix=FIX)
    check_types(path, table.schema, SCHEMA, needed=SCHEMA.names, fix=FIX)
    columns = {name: table[name].to_pylist() for name in SCHEMA.names}
    return EmojiTable({name: columns[name] for name in TEXT}, columns["image"], columns["lines"])


def write_emoji(modules: Path, out: Path, size: int = SIZE) -> int:
    """Render every picture of the npm packages into a Parquet file, and return how many.

    Args:
        modules: the folder `node_modules`.

    Raises:
        LepbenchError: a package is not there.
    """
    rows = list(_render_all(modules, size))
    with atomic_path(out) as partial:
        pq.write_table(pa.Table.from_pylist(rows, SCHEMA), partial, compression="zstd", compression_level=19)
    return len(rows)


def _render_all(modules: Path, size: int) -> Iterator[dict[str, Any]]:
    for subject in list_subjects(modules):
        for style, about in SETS.items():
            document = find_document(modules, style, subject.code)
            if document is None:
                continue
            yield {
                "id": f"{style}-{subject.code}",
                "set": style,
                "subject": subject.name,
                "code": subject.code,
                "group": subject.group,
                "kind": subject.kind,
                "split": find_split(subject.name, style),
                "caption": write_caption(subject.name, subject.kind, style),
                "licence": about.licence,
                "attribution": about.attribution,
                "image": encode_webp(render_emoji(document, size)),
                "lines": _store_lines(find_file(modules, subject.code)) if style == "openmoji" else None,
            }


def _store_lines(file: Path) -> list[list[int]]:
    lines = read_openmoji_lines(file, SIZE)
    return [np.round(line * UNITS).astype(int).ravel().tolist() for line in lines]
