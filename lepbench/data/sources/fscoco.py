"""FS-COCO's photographs, captions and sketches as a corpus; its sketches feed suites, too."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from lepbench.data.corpus import Corpus, CorpusSketch, Entry, Original, Reason, Rejected
from lepbench.data.sources.base import SOURCES, Source
from lepbench.data.sources.files import read, read_caption, read_picture, resolve_within
from lepbench.sketches import Unusable
from lepbench.sketches.fscoco import LICENCE, FsCocoScene, FsCocoSplit, lines_of, scenes
from lepbench.strokes import Points


@SOURCES.register("fscoco")
class FsCocoSource(Source):
    """The photographs `images/USER/ID.jpg` with `text/USER/ID.txt`, for the users of one side of the split.

    Settings: `path`; `split`, `test_share` and `canvas` as those of the sketch corpus, so that a suite of the
    other side shows no user that was built from, nor a picture as far as each was drawn once; `licence`. With
    `edges: drawn` the maps are the users' sketches.
    """

    drawn: ClassVar[bool] = True

    name: Literal["fscoco"] = "fscoco"
    path: Path
    split: FsCocoSplit = "train"
    test_share: float = Field(default=0.2, gt=0, lt=1)
    canvas: tuple[float, float] | None = None
    licence: str = f"photographs: Flickr terms; captions and sketches: {LICENCE}"

    def open(self, size: int, limit: int | None) -> Corpus:
        return Photographs(self, scenes(self.path, self.split, self.test_share)[:limit])


class Photographs(Corpus):
    """The photographs of an `FsCocoSource`."""

    label = "fscoco"

    def __init__(self, source: FsCocoSource, found: list[FsCocoScene]) -> None:
        self.source, self.scenes, self.licence = source, found, source.licence
        self.count = len(found)

    def entry(self, number: int) -> Entry:
        scene = self.scenes[number]
        return Entry(f"{scene.user}/{scene.id}", lambda: self._load(scene))

    def recipe(self) -> dict[str, Any]:
        settings = self.source.model_dump(mode="json", exclude={"path"})
        return {**settings, "fingerprint": hash_corpus(self.source.path, self.scenes)}

    def _load(self, scene: FsCocoScene) -> Original:
        root = self.source.path
        caption = read_caption(root, scene.text.relative_to(root).as_posix())
        photo = read_picture(root, scene.photo.relative_to(root).as_posix())
        return Original(photo, caption, sketch=self._sketch(scene))

    def _sketch(self, scene: FsCocoScene) -> CorpusSketch | Rejected:
        """What was drawn; where its file cannot be read, why: it is no fault unless it is asked for."""
        try:
            content = read(
                resolve_within(self.source.path, scene.strokes.relative_to(self.source.path).as_posix())
            )
        except Rejected as rejected:
            return rejected

        def lines(width: int, height: int) -> list[Points]:
            try:
                return lines_of(scene, self.source.canvas, width, height)
            except Unusable as fault:
                raise Rejected(Reason.NO_SKETCH, str(fault)) from fault

        return CorpusSketch(content, lines)


def hash_corpus(root: Path, found: list[FsCocoScene]) -> str:
    """SHA-256 over names, captions, and the sizes of photographs and sketches."""
    running = hashlib.sha256()
    for scene in found:
        sizes = [path.stat().st_size if path.is_file() else -1 for path in (scene.photo, scene.strokes)]
        running.update(f"{scene.user}/{scene.id}\0{sizes}\0".encode())
        try:
            running.update(read(resolve_within(root, scene.text.relative_to(root).as_posix())))
        except Rejected:
            running.update(b"-")
    return running.hexdigest()
