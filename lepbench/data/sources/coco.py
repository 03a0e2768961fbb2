"""COCO captions: a JSON file of annotations, and the folder of its images."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from lepbench.data.captions import clean_licence
from lepbench.data.corpus import Corpus, Entry, Original, Reason, Rejected
from lepbench.data.sources.base import SOURCES, Source
from lepbench.data.sources.files import find_within, make_distinct, read_picture
from lepbench.documents import parse_json
from lepbench.errors import LepbenchError
from lepbench.files import as_text, sha256_file

GZIP = b"\x1f\x8b"
"""First bytes of a compressed file."""
REMEDY = "give a captions_*.json of COCO"
ADDRESSES = ("coco_url", "flickr_url", "url")
"""Keys of an entry of `images` that hold its web address."""


class CocoEntry(NamedTuple):
    """One entry before its picture is read; one that cannot be used has a `fault` in place of a caption."""

    id: str
    file: str = ""
    caption: str = ""
    licence: str | None = None
    fault: tuple[Reason, str] | None = None


class Annotations(NamedTuple):
    """The used lists of a file of annotations, their entries as they are."""

    images: list[Any]
    annotations: list[Any]
    licences: list[Any]


@SOURCES.register("coco")
class Coco(Source):
    """Pictures of `images` with the captions that `annotations` gives them, in the order of their ids.

    Used are `id` and `file_name` of a picture, `image_id` and `caption` of an annotation, and the names of
    licences. Other keys may be missing or hold anything. An entry that lacks one of the four is a reject.

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
                size = find_within(self.source.images, item.file).stat().st_size if item.file else -1
            except (Rejected, OSError, ValueError):
                size = -1
            running.update(b"%d " % size)
        return running.hexdigest()

    def _load(self, item: CocoEntry) -> Original:
        if item.fault is not None:
            raise Rejected(*item.fault)
        return Original(
            read_picture(self.source.images, item.file), item.caption, clean_licence(item.licence)
        )


def read_annotations(path: Path) -> Annotations:
    """The file of annotations.

    Raises:
        LepbenchError: it cannot be read, or is of another kind.
    """
    try:
        content = path.read_bytes()
        document = parse_json(content, most=None)
    except OSError as error:
        raise LepbenchError(
            f"cannot read {path}: {error.strerror}", "check the setting annotations"
        ) from error
    except ValueError as error:
        if content.startswith(GZIP):
            raise LepbenchError(f"{path} is compressed", f"decompress it: gunzip -k {path.name}") from error
        raise LepbenchError(f"{path} is not valid JSON: {error}", "download it again") from error
    if fault := find_other_kind(document):
        raise LepbenchError(f"{path} {fault}", REMEDY)
    licences = document.get("licenses")
    return Annotations(
        document["images"], document["annotations"], licences if isinstance(licences, list) else []
    )


def find_other_kind(document: Any) -> str:
    """What a JSON document is if it is no file of captions; empty if it is one."""
    if isinstance(document, list):
        return "is a list, such as results have, without images and annotations"
    images = document.get("images") if isinstance(document, dict) else None
    if not isinstance(images, list):
        return "has no list 'images'"
    annotations = document.get("annotations")
    if annotations is None and any(isinstance(image, dict) and "sentences" in image for image in images):
        return "is a Karpathy split, which has its captions in images[].sentences"
    if not isinstance(annotations, list):
        return "has no list 'annotations'"
    if annotations and not any(isinstance(one, dict) and "caption" in one for one in annotations):
        return "has annotations, and no caption among them"
    return ""


class IdIndex:
    """Entries by their ids, which are numbers or strings; as in pycocotools the last of equal ids counts."""

    def __init__(self, entries: Iterable[Any]) -> None:
        self.entries = [entry for entry in entries if isinstance(entry, dict) and is_id(entry.get("id"))]
        self._exact = {entry["id"]: entry for entry in self.entries}
        self._text = {str(entry["id"]): entry for entry in self.entries}

    def find(self, wanted: Any) -> dict[str, Any] | None:
        """The entry of an id: an equal one, or one that is written alike, as "7" and 7 are."""
        return (self._exact.get(wanted) or self._text.get(str(wanted))) if is_id(wanted) else None


def is_id(value: Any) -> bool:
    """Whether a value can identify an entry."""
    return isinstance(value, int | float | str) and not isinstance(value, bool) and value == value


def sort_key(entry: Any) -> tuple[int, Any, str]:
    """Orders entries by id: numbers, then strings, then those without, which stay as they stand."""
    value = entry.get("id") if isinstance(entry, dict) else None
    if value is None or not is_id(value):
        return 2, 0, ""
    return (1, 0, value) if isinstance(value, str) else (0, value, "")


def list_items(document: Annotations, captions: str) -> Iterator[CocoEntry]:
    """Every picture with every caption wanted, then the captions whose picture is not listed."""
    index, licences = IdIndex(document.images), IdIndex(document.licences)
    of_picture: dict[int, list[Any]] = {}
    strays: list[CocoEntry] = []
    for place, annotation in sorted(enumerate(document.annotations), key=lambda pair: sort_key(pair[1])):
        picture = index.find(annotation.get("image_id")) if isinstance(annotation, dict) else None
        if picture is None:
            strays.append(make_stray(annotation, place))
        else:
            of_picture.setdefault(id(picture), []).append(annotation)
    plain: list[CocoEntry] = []
    for place, picture in sorted(enumerate(document.images), key=lambda pair: sort_key(pair[1])):
        begun = begin_entry(picture, place, index, licences)
        annotations = of_picture.get(id(picture), [])
        plain += [caption_entry(begun, given) for given in choose_captions(annotations, captions)]
    plain += strays
    for item, name in zip(plain, make_distinct(item.id for item in plain), strict=True):
        yield item._replace(id=name)


def begin_entry(picture: Any, place: int, index: IdIndex, licences: IdIndex) -> CocoEntry:
    """The entry of a picture without its caption, with a fault if it cannot be used."""
    if not isinstance(picture, dict):
        return CocoEntry(f"images[{place}]", fault=(Reason.BAD_ROW, "no JSON object"))
    file, number = picture.get("file_name"), picture.get("id")
    if not isinstance(file, str) or not file:
        address = next((picture[key] for key in ADDRESSES if isinstance(picture.get(key), str)), None)
        fault = (Reason.NOT_HERE, address[:200]) if address else (Reason.BAD_ROW, "no file_name")
        return CocoEntry(f"image {number}" if is_id(number) else f"images[{place}]", fault=fault)
    if not is_id(number):
        return CocoEntry(file, file, fault=(Reason.BAD_ROW, "no id"))
    if index.find(number) is not picture:
        return CocoEntry(file, file, fault=(Reason.BAD_ROW, f"a later picture has the id {number}, too"))
    licence = (licences.find(picture.get("license")) or {}).get("name")
    return CocoEntry(file, file, licence=licence if isinstance(licence, str) else None)


def caption_entry(begun: CocoEntry, annotation: Any) -> CocoEntry:
    """A picture's entry with the caption of an annotation, None where it has none."""
    if begun.fault is not None:
        return begun
    caption = None if annotation is None else annotation.get("caption")
    if isinstance(caption, str):
        return begun._replace(caption=caption)
    return begun._replace(fault=(Reason.NO_CAPTION, "" if annotation is None else describe_lack(annotation)))


def describe_lack(annotation: dict[str, Any]) -> str:
    """What an annotation without a caption has in its place."""
    name = f"annotation {annotation['id']}" if is_id(annotation.get("id")) else "an annotation"
    if "caption" in annotation:
        return f"{name}: its caption is {json.dumps(annotation['caption'])[:40]}"
    others = [key for key in ("bbox", "segmentation", "keypoints") if key in annotation]
    return f"{name} has {' and '.join(others) or 'no caption'}"


def make_stray(annotation: Any, place: int) -> CocoEntry:
    """The reject of an annotation that belongs to no picture."""
    if not isinstance(annotation, dict):
        return CocoEntry(f"annotations[{place}]", fault=(Reason.BAD_ROW, "no JSON object"))
    number = annotation.get("id")
    name = f"annotation {number}" if is_id(number) else f"annotations[{place}]"
    known = is_id(annotation.get("image_id"))
    detail = "a caption of a picture that is not listed" if known else "no image_id"
    return CocoEntry(name, fault=(Reason.BAD_ROW, detail))


def choose_captions(annotations: list[Any], captions: str) -> list[Any]:
    """The annotations of a picture that become triplets; None where it has none."""
    if not annotations or captions == "all":
        return annotations or [None]
    texts = [one for one in annotations if isinstance(one.get("caption"), str)]
    spoken = [one for one in texts if one["caption"].strip()] or texts
    if not spoken:
        return [None]
    return [spoken[0] if captions == "first" else max(spoken, key=lambda one: len(one["caption"]))]
