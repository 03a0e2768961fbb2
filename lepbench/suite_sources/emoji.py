"""Suites of the embedded emoji: pictures kept from training, with edge maps or another person's lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import Field

from lepbench.detectors import AnyDetector, Canny
from lepbench.emoji import SIZE, EmojiGroup, EmojiSplit, EmojiStyle, load_emoji
from lepbench.emoji.choice import EmojiBook, fingerprint_emoji, open_emoji
from lepbench.images import encode_png
from lepbench.sketches import Fault, Name, Unusable
from lepbench.strokes import Points
from lepbench.suite_sources.base import (
    SUITE_SOURCES,
    Candidate,
    Candidates,
    SuiteItem,
    SuiteSource,
    order_names,
)
from lepbench.suite_sources.drawings import draw_strokes
from lepbench.suites.freeze import ItemRow

LINES_BY = "openmoji"
"""The set whose line drawings are taken."""
DESCRIPTIONS = {
    "edges": (
        "Emoji of the split {split} with their edge maps, subjects in the order of a hash. Each item has the "
        "licence of its picture's set."
    ),
    "lines": (
        "Emoji of the split {split}, each with OpenMoji's line drawing of its subject: one person's lines, "
        "another's picture. Subjects are in the order of a hash. Pictures have the licence of their set, "
        "line drawings are CC BY-SA 4.0."
    ),
}
PROTOCOLS = {"edges": "lepbench-emoji-edges-v1", "lines": "lepbench-emoji-lines-v1"}


@SUITE_SOURCES.register("emoji")
class EmojiSuite(SuiteSource):
    """Emoji of a split, one item a picture.

    Settings: `split`, `sets`, `groups`, `path` as for the source of `build-data`; `sketch`, "edges" for the
    map of the picture by `detector`, or "lines" for OpenMoji's line drawing of the subject, with the picture
    of another set; `size`, px.
    """

    name: Literal["emoji"] = "emoji"
    split: EmojiSplit = "pairs"
    sets: tuple[EmojiStyle, ...] = ()
    groups: tuple[EmojiGroup, ...] = ()
    sketch: Literal["edges", "lines"] = "edges"
    path: Path | None = None
    size: int = Field(default=SIZE, ge=16, le=4096)
    detector: AnyDetector = Canny(low=0.3, high=0.6)

    def open(self) -> Candidates:
        return EmojiCandidates(
            self,
            open_emoji(self.split, sets=self.sets, groups=self.groups, size=self.size, modules=self.path),
        )


ENOUGH = 512
"""More than any split holds."""
EMOJI_SUITES = {
    "emoji-edges-v1": EmojiSuite(sketch="edges", items=ENOUGH),
    "emoji-lines-v1": EmojiSuite(sketch="lines", items=ENOUGH),
}
"""How the suites that ship are made."""


class EmojiCandidates(Candidates):
    """The pictures of an `EmojiSuite`."""

    licence = "CC-BY-SA-4.0"

    def __init__(self, source: EmojiSuite, book: EmojiBook) -> None:
        self.source, self.book, self.size, self.detector = source, book, source.size, source.detector
        rows = range(len(book))
        others = source.sketch == "lines"
        self.rows = [row for row in rows if not others or book.about(row)["set"] != LINES_BY]
        self.count, self.edges = len(self.rows), not others
        self.corpus = f"emoji {source.split}"
        self.settings = {
            **source.model_dump(mode="json", include={"sets", "groups", "sketch"}),
            **({} if source.path is None else {"rendered": True}),
            "emoji": fingerprint_emoji(),
        }
        self.protocol = PROTOCOLS[source.sketch]
        self.description = DESCRIPTIONS[source.sketch].format(split=source.split)
        self.drawn = find_lines(self.size) if others else {}

    def queues(self) -> Iterator[Iterable[Candidate]]:
        about = [self.book.about(row) for row in self.rows]
        names = [Name(one["id"], one["subject"]) for one in about]
        for queue in order_names(names, self.source.seed):
            yield (self._candidate(self.rows[number]) for number in queue)

    def _candidate(self, row: int) -> Candidate:
        return Candidate(lambda: self.book.about(row)["id"], partial(self._make, row))

    def _make(self, row: int) -> SuiteItem:
        about, picture = self.book.about(row), self.book.picture(row)
        sketch: ItemRow
        if self.edges:
            edges = self.detector.of_pixels(picture[None])[0]
            if not edges.any():
                raise Unusable(Fault.EMPTY, "no edges")
            sketch = {"sketch": encode_png(edges)}
        else:
            lines = self.drawn.get(about["code"])
            if lines is None:
                raise Unusable(Fault.EMPTY, "OpenMoji has no lines of it")
            sketch = draw_strokes(lines, self.size)
        return SuiteItem({
            "item_id": about["id"],
            "prompt": about["caption"],
            "image": encode_png(picture),
            **sketch,
            "label": about["subject"],
            "licence": about["licence"] if self.edges else f"{about['licence']}, CC-BY-SA-4.0",
        })  # fmt: skip


def find_lines(size: int) -> dict[str, list[Points]]:
    """The line drawings that ship, in px of a picture of `size` px, by code points."""
    table = load_emoji().select((), sets=(LINES_BY,))
    drawn = {code: table.lines(row, size) for row, code in enumerate(table.rows["code"])}
    return {code: lines for code, lines in drawn.items() if lines is not None}
