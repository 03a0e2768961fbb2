"""The emoji as one Parquet file of small pictures, each with its set, licence and attribution."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from lepbench.embedded import ASSETS
from lepbench.emoji.captions import write_caption
from lepbench.emoji.packages import find_document, find_file, list_subjects
from lepbench.emoji.render import read_openmoji_lines, render_emoji
from lepbench.emoji.sets import SETS
from lepbench.emoji.splits import EmojiSplit, find_split
from lepbench.files import atomic_path
from lepbench.images import Pixels, encode_png, open_rgb, read_pixels
from lepbench.parquet import check_types, read_bounded
from lepbench.strokes import number_strokes

SHIPPED = ASSETS / "emoji@1" / "emoji.parquet"
SIZE = 64
"""Side of the pictures that ship, px."""
TEXT = ("id", "set", "subject", "code", "group", "kind", "split", "caption", "licence", "attribution")
SCHEMA = pa.schema([
    *((name, pa.string()) for name in TEXT),
    ("image", pa.binary()),
    ("strokes", pa.binary()),
])  # fmt: skip
"""`image` is a lossless WebP; `strokes`, a PNG whose values number the strokes of the line drawing, is null
where a set has no line drawings."""
FIX = "install lepbench again, or write the file anew"


@dataclass(frozen=True)
class EmojiTable:
    """N pictures; each list holds one value a picture.

    Attributes:
        rows: the text columns by their name.
    """

    rows: dict[str, list[str]]
    images: list[bytes]
    strokes: list[bytes | None]

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def pixels(self) -> Pixels:
        """uint8 [N, H, W, 3]."""
        return np.stack([np.asarray(open_rgb(image)) for image in self.images])

    def lines(self, row: int) -> Pixels | None:
        """Numbered strokes uint8 [H, W] of the line drawing, 0 where there is none."""
        content = self.strokes[row]
        return None if content is None else read_pixels(content)

    def take(self, rows: Sequence[int]) -> EmojiTable:
        """The pictures at `rows`."""
        return EmojiTable(
            {name: [values[row] for row in rows] for name, values in self.rows.items()},
            [self.images[row] for row in rows],
            [self.strokes[row] for row in rows],
        )

    def select(self, splits: Sequence[EmojiSplit], groups: Sequence[str] = ()) -> EmojiTable:
        """The pictures of some splits, and of some groups where they are given."""
        kept = [
            row
            for row, (split, group) in enumerate(zip(self.rows["split"], self.rows["group"], strict=True))
            if split in splits and (not groups or group in groups)
        ]
        return self.take(kept)


def load_emoji(path: Path = SHIPPED) -> EmojiTable:
    """Read a file that `write_emoji` wrote; the shipped one unless given.

    Raises:
        LepbenchError: it cannot be read, or lacks a column.
    """
    table = read_bounded(path, fix=FIX)
    check_types(path, table.schema, SCHEMA, needed=SCHEMA.names, fix=FIX)
    columns = {name: table[name].to_pylist() for name in SCHEMA.names}
    return EmojiTable({name: columns[name] for name in TEXT}, columns["image"], columns["strokes"])


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
            lines = style == "openmoji"
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
                "strokes": _draw_lines(find_file(modules, subject.code), size) if lines else None,
            }


def _draw_lines(file: Path, size: int) -> bytes:
    return encode_png(number_strokes(read_openmoji_lines(file, size), size))


def encode_webp(pixels: Pixels) -> bytes:
    """A picture as a lossless WebP."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "WEBP", lossless=True, quality=100, method=6)
    return stream.getvalue()
