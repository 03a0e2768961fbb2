"""OpenMoji as a corpus: coloured emoji with their names and their designers' line drawings."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from lepbench.data.corpus import Corpus, CorpusSketch, Entry, Original, Reason, Rejected
from lepbench.data.sources.base import SOURCES, Source
from lepbench.data.sources.files import read
from lepbench.images import open_rgb
from lepbench.sketches import Fault, Unusable
from lepbench.sketches.openmoji import (
    LICENCE,
    TEST_SHARE,
    Emoji,
    OpenMojiSplit,
    choose_emoji,
    read_lines,
    render_picture,
)
from lepbench.sketches.openmoji_files import check_libraries, check_revision, find_installed, find_revision
from lepbench.strokes import Points


@SOURCES.register("openmoji")
class OpenMojiSource(Source):
    """Emoji rendered at the size asked for, for the subjects on one side of the split.

    Settings: those of the sketch corpus, so that a suite of the other side shows no subject that was built
    from; `licence`. The maps are the line drawings unless `edges` says otherwise.
    """

    drawn: ClassVar[bool] = True
    edges: ClassVar[Literal["binary", "drawn"]] = "drawn"

    name: Literal["openmoji"] = "openmoji"
    path: Path = Field(default_factory=find_installed)
    split: OpenMojiSplit = "train"
    test_share: float = Field(default=TEST_SHARE, gt=0, lt=1)
    variants: bool = True
    revision: str = Field(default_factory=lambda settings: find_revision(settings["path"]))
    licence: str = LICENCE

    def open(self, size: int, limit: int | None) -> Corpus:
        check_libraries()
        check_revision(self.path, self.revision)
        chosen = choose_emoji(self.path, self.split, self.test_share, self.variants)
        return OpenMojiCorpus(self, chosen[:limit], size)


class OpenMojiCorpus(Corpus):
    """The emoji of an `OpenMojiSource`, `size` px wide and high."""

    label = "openmoji"

    def __init__(self, source: OpenMojiSource, chosen: list[Emoji], size: int) -> None:
        self.source, self.emoji, self.size = source, chosen, size
        self.count, self.licence = len(chosen), source.licence

    def entry(self, number: int) -> Entry:
        one = self.emoji[number]
        return Entry(one.id, lambda: self._load(one))

    def recipe(self) -> dict[str, Any]:
        return self.source.model_dump(mode="json", exclude={"path"})

    def _load(self, one: Emoji) -> Original:
        if one.about is None:
            raise Rejected(Reason.NO_CAPTION, "no name in Unicode")
        content = read(one.path)
        try:
            picture = np.asarray(open_rgb(render_picture(content, self.size)))
        except Unusable as fault:
            reason = Reason.TOO_LARGE if fault.fault is Fault.TOO_LARGE else Reason.NOT_DECODABLE
            raise Rejected(reason, str(fault)) from fault

        def lines(width: int, height: int) -> list[Points]:
            try:
                drawing = read_lines(one, content)
            except Unusable as fault:
                raise Rejected(Reason.NO_SKETCH, str(fault)) from fault
            return [line * (width / drawing.width, height / drawing.height) for line in drawing.strokes]

        return Original(picture, one.about.caption, sketch=CorpusSketch(content, lines))
