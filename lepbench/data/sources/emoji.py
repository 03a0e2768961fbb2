"""The embedded emoji as a corpus: pictures of four sets with captions, and one set's line drawings."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from lepbench.data.corpus import Corpus, CorpusSketch, Entry, Original, Reason, Rejected
from lepbench.data.sources.base import SOURCES, Source
from lepbench.emoji import EmojiGroup, EmojiSplit, EmojiStyle
from lepbench.emoji.choice import EmojiBook, fingerprint_emoji, open_emoji
from lepbench.sketches import Unusable
from lepbench.strokes import Points


@SOURCES.register("emoji")
class EmojiSource(Source):
    """The emoji of a split, each with its set's licence.

    Settings: `split`; `sets` and `groups`, all unless given; `path`, the folder `node_modules` of the sets'
    packages, out of which pictures are drawn at any size: those that ship are of 64 px. With `edges: drawn`
    the maps are OpenMoji's line drawings; the other sets have none.
    """

    drawn: ClassVar[bool] = True

    name: Literal["emoji"] = "emoji"
    split: EmojiSplit = "train"
    sets: tuple[EmojiStyle, ...] = ()
    groups: tuple[EmojiGroup, ...] = ()
    path: Path | None = None

    def open(self, size: int, limit: int | None) -> Corpus:
        return EmojiCorpus(
            self,
            open_emoji(self.split, sets=self.sets, groups=self.groups, size=size, modules=self.path),
            limit,
        )


class EmojiCorpus(Corpus):
    """The pictures of an `EmojiSource`."""

    label, licence = "emoji", "CC-BY-SA-4.0"

    def __init__(self, source: EmojiSource, book: EmojiBook, limit: int | None) -> None:
        self.source, self.book = source, book
        self.split = source.split
        self.count = len(book) if limit is None else min(limit, len(book))

    def entry(self, number: int) -> Entry:
        return Entry(self.book.about(number)["id"], lambda: self._load(number))

    def recipe(self) -> dict[str, Any]:
        drawn = {} if self.source.path is None else {"rendered": True}
        return {
            **self.source.model_dump(mode="json", exclude={"path"}),
            **drawn,
            "emoji": fingerprint_emoji(),
        }

    def _load(self, number: int) -> Original:
        about = self.book.about(number)
        try:
            picture = self.book.picture(number)
        except Unusable as fault:
            raise Rejected(Reason.NOT_DECODABLE, str(fault)) from fault
        return Original(picture, about["caption"], licence=about["licence"], sketch=self._sketch(number))

    def _sketch(self, number: int) -> CorpusSketch | None:
        lines = self.book.lines(number)
        if lines is None:
            return None

        def place(width: int, height: int) -> list[Points]:
            return [line * (width / self.book.size, height / self.book.size) for line in lines]

        return CorpusSketch(np.concatenate(lines).tobytes(), place)
