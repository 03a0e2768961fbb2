"""The emoji that a corpus or a suite takes, as pictures and lines of any size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lepbench.embedded import ASSETS
from lepbench.emoji.packages import FETCH, find_document
from lepbench.emoji.render import render_emoji
from lepbench.emoji.splits import EmojiSplit
from lepbench.emoji.table import SHIPPED, SIZE, EmojiTable, load_emoji
from lepbench.errors import LepbenchError
from lepbench.files import sha256_file
from lepbench.images import Pixels, open_rgb
from lepbench.strokes import Points


class EmojiBook:
    """Chosen emoji of the table that ships; `len` of them, numbered from 0.

    Attributes:
        table: what is said of them.
        size: of pictures and lines, px.
    """

    def __init__(self, table: EmojiTable, size: int, modules: Path | None) -> None:
        self.table, self.size, self.modules = table, size, modules

    def __len__(self) -> int:
        return len(self.table)

    def about(self, number: int) -> dict[str, str]:
        """The text columns of one."""
        return {name: values[number] for name, values in self.table.rows.items()}

    def picture(self, number: int) -> Pixels:
        """uint8 [size, size, 3]; of the packages where they are given.

        Raises:
            LepbenchError: the packages lack it.
            lepbench.sketches.Unusable: it cannot be drawn.
        """
        if self.modules is None:
            return np.asarray(open_rgb(self.table.images[number]))
        about = self.about(number)
        document = find_document(self.modules, about["set"], about["code"])
        if document is None:
            raise LepbenchError(f"{self.modules} has no {about['subject']} of {about['set']}", FETCH)
        return render_emoji(document, self.size)

    def lines(self, number: int) -> list[Points] | None:
        """Its own line drawing, in px; None where the set has none."""
        return self.table.lines(number, self.size)


def open_emoji(
    split: EmojiSplit,
    sets: Sequence[str] = (),
    groups: Sequence[str] = (),
    size: int = SIZE,
    modules: Path | None = None,
) -> EmojiBook:
    """The emoji of a split.

    Args:
        sets, groups: those that are taken; none for all.
        modules: `node_modules` with the sets' packages; those that ship unless given.

    Raises:
        LepbenchError: there are none, or none of this size.
    """
    if modules is None and size != SIZE:
        raise LepbenchError(f"the emoji that ship are of {SIZE} px, not {size}", f"{FETCH} as path")
    table = load_emoji().select((split,), groups, sets)
    if not len(table):
        raise LepbenchError("there are no such emoji", "check split, sets and groups")
    return EmojiBook(table, size, modules)


def fingerprint_emoji() -> str:
    """Which emoji ship, for records."""
    return f"{SHIPPED.parent.relative_to(ASSETS)} sha256 {sha256_file(SHIPPED)}"
