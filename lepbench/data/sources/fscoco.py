"""FS-COCO's photographs and captions as a corpus; its sketches feed suites."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from lepbench.data.corpus import Corpus, Entry, Original, Rejected
from lepbench.data.sources.base import SOURCES, Source
from lepbench.data.sources.files import read, read_caption, read_picture, within
from lepbench.sketches.fscoco import LICENCE, Scene, Split, scenes


@SOURCES.register("fscoco")
class FSCOCO(Source):
    """The photographs `images/USER/ID.jpg` with `text/USER/ID.txt`, for the users of one side of the split.

    Settings: `path`; `split` and `test_share` as those of the sketch corpus, so that a suite of the other
    side shows no user that was built from, nor a picture as far as each was drawn once; `licence`.
    """

    name: Literal["fscoco"] = "fscoco"
    path: Path
    split: Split = "train"
    test_share: float = Field(default=0.2, gt=0, lt=1)
    licence: str = f"photographs: Flickr terms; captions: {LICENCE}"

    def open(self, size: int, limit: int | None) -> Corpus:
        return Photographs(self, scenes(self.path, self.split, self.test_share)[:limit])


class Photographs(Corpus):
    """The photographs of an `FSCOCO`."""

    label = "fscoco"

    def __init__(self, source: FSCOCO, found: list[Scene]) -> None:
        self.source, self.scenes, self.licence = source, found, source.licence
        self.count = len(found)

    def entry(self, number: int) -> Entry:
        scene = self.scenes[number]
        return Entry(f"{scene.user}/{scene.id}", lambda: self._load(scene))

    def recipe(self) -> dict[str, Any]:
        settings = self.source.model_dump(mode="json", exclude={"path"})
        return {**settings, "fingerprint": fingerprint(self.source.path, self.scenes)}

    def _load(self, scene: Scene) -> Original:
        root = self.source.path
        caption = read_caption(root, scene.text.relative_to(root).as_posix())
        return Original(read_picture(root, scene.photo.relative_to(root).as_posix()), caption)


def fingerprint(root: Path, found: list[Scene]) -> str:
    """SHA-256 over names, captions and the photographs' sizes."""
    running = hashlib.sha256()
    for scene in found:
        size = scene.photo.stat().st_size if scene.photo.is_file() else -1
        running.update(f"{scene.user}/{scene.id}\0{size}\0".encode())
        try:
            running.update(read(within(root, scene.text.relative_to(root).as_posix())))
        except Rejected:
            running.update(b"-")
    return running.hexdigest()
