"""COCO captions: a JSON file of annotations, and the folder of its images."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, PlainValidator, ValidationError

from lepbench.data.captions import clean_licence
from lepbench.data.corpus import Corpus, Entry, Original, Reason, Rejected
from lepbench.data.sources.base import SOURCES, Source
from lepbench.data.sources.files import make_distinct, read_picture
from lepbench.errors import LepbenchError
from lepbench.files import as_text, sha256_file


def _as_told(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("it is no string")
    return value


# Lone surrogates, which JSON can hold, spoil their own entry alone: pydantic's own strings refuse them.
Text = Annotated[str, PlainValidator(_as_told)]


class CocoImage(BaseModel):
    """The used keys of an entry of `images`; other keys are allowed."""

    id: int
    file_name: Text
    license: int | None = None


class Annotation(BaseModel):
    """The used keys of an entry of `annotations`; a caption may be missing."""

    id: int
    image_id: int
    caption: Any


class Licence(BaseModel):
    """What of an entry of `licenses` is used."""

    id: int
    name: Text


class Annotations(BaseModel):
    """A `captions_*.json`, as far as it is used."""

    images: list[CocoImage]
    annotations: list[Annotation]
    licenses: list[Licence] = []


class CocoEntry(NamedTuple):
    """One entry before its picture is read; `file` is None for captions of a picture that is not listed."""

    id: str
    file: str | None
    caption: str | None
    licence: str | None


@SOURCES.register("coco")
class Coco(Source):
    """Pictures of `images` with the captions that `annotations` gives them, in the order of their numbers.

    Settings: `annotations`, such as captions_val2017.json; `images`, the folder; `captions`, "all" of a
    picture as a triplet each, the "first" or the "longest" alone; `licence` of pictures for which the file
    tells none.
    """

    name: Literal["coco"] = "coco"
    annotations: Path
    images: Path
    captions: Literal["all", "first", "longest"] = "all"
    licence: str = "unknown"

    def open(self, size: int, limit: int | None) -> Corpus:
        if not self.images.is_dir():
            raise LepbenchError(f"{self.images} is not a folder", "check the setting images")
        items = list(list_items(read_annotations(self.annotations), self.captions))[:limit]
        if not items:
            raise LepbenchError(f"{self.annotations} names no pictures", "check the setting annotations")
        return Captioned(self, items)


class Captioned(Corpus):
    """The items of a `Coco`."""

    def __init__(self, source: Coco, items: list[CocoEntry]) -> None:
        self.source, self.items = source, items
        self.label, self.licence = f"coco:{as_text(source.annotations.stem)}", source.licence
        self.count = len(items)

    def entry(self, number: int) -> Entry:
        item = self.items[number]
        return Entry(item.id, lambda: self._load(item))

    def recipe(self) -> dict[str, Any]:
        return {
            "name": "coco",
            "annotations": as_text(self.source.annotations.name),
            "annotations_sha256": sha256_file(self.source.annotations),
            "captions": self.source.captions,
            "licence": self.licence,
            "fingerprint": self._fingerprint(),
        }

    def _fingerprint(self) -> str:
        """SHA-256 over the sizes of the pictures."""
        running = hashlib.sha256()
        for item in self.items:
            try:
                size = (self.source.images / (item.file or "")).stat().st_size
            except (OSError, ValueError):
                size = -1
            running.update(b"%d " % size)
        return running.hexdigest()

    def _load(self, item: CocoEntry) -> Original:
        if item.file is None:
            raise Rejected(Reason.BAD_ROW, "a caption of a picture that is not listed")
        if item.caption is None:
            raise Rejected(Reason.NO_CAPTION)
        return Original(
            read_picture(self.source.images, item.file), item.caption, clean_licence(item.licence)
        )


def read_annotations(path: Path) -> Annotations:
    """The file of annotations.

    Raises:
        LepbenchError: it cannot be read, or is of another kind.
    """
    try:
        return Annotations.model_validate(json.loads(path.read_bytes()))
    except OSError as error:
        raise LepbenchError(
            f"cannot read {path}: {error.strerror}", "check the setting annotations"
        ) from error
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise LepbenchError(f"{path}, {where}: {fault['msg']}", "is it a captions_*.json of COCO?") from error
    except (ValueError, RecursionError) as error:
        raise LepbenchError(f"{path} is not valid JSON: {error}") from error


def list_items(document: Annotations, captions: str) -> Iterator[CocoEntry]:
    """Every picture with every caption wanted, then the captions whose picture is not listed."""
    licences = {licence.id: licence.name for licence in document.licenses}
    of_picture: dict[int, list[Annotation]] = {picture.id: [] for picture in document.images}
    strays: list[Annotation] = []
    for annotation in sorted(document.annotations, key=lambda annotation: annotation.id):
        of_picture.get(annotation.image_id, strays).append(annotation)
    pictures = sorted(document.images, key=lambda picture: picture.id)
    plain = [
        CocoEntry(
            picture.file_name,
            picture.file_name,
            text,
            None if picture.license is None else licences.get(picture.license),
        )
        for picture in pictures
        for text in choose_captions([annotation.caption for annotation in of_picture[picture.id]], captions)
    ]
    plain += [CocoEntry(f"annotation {stray.id}", None, None, None) for stray in strays]
    for item, name in zip(plain, make_distinct(item.id for item in plain), strict=True):
        yield item._replace(id=name)


def choose_captions(given: list[Any], captions: str) -> list[str | None]:
    """The captions of a picture that become triplets; None for one that is no text, and where it has none."""
    texts = [text for text in given if isinstance(text, str)]
    if captions == "all" and given:
        return [text if isinstance(text, str) else None for text in given]
    if not texts:
        return [None]
    return [texts[0] if captions == "first" else max(texts, key=len)]
