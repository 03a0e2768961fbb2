"""WebDataset: tar archives whose members of one name are one sample."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Literal, NamedTuple

from lepbench.data.captions import LENIENT
from lepbench.data.corpus import Corpus, Entry, Original, Reason, Rejected
from lepbench.data.sources.base import SOURCES, Source
from lepbench.data.sources.files import MOST_BYTES, check_inside, distinct
from lepbench.data.sources.tars import Damage, members
from lepbench.errors import LepbenchError
from lepbench.images import SUFFIXES

OPEN_TARS = 8
CAPTION_KEYS = ("caption", "text")
KINDS = {".txt": "text", ".json": "record", **dict.fromkeys(SUFFIXES, "picture")}
"""Which part of a sample a member is, by its suffix."""


class Part(NamedTuple):
    """A member's bytes: where they begin in the archive, and how many there are."""

    offset: int
    size: int


class Sample(NamedTuple):
    """What an archive holds under one key, or why a member of it cannot be used."""

    tar: int
    key: str
    parts: dict[str, Part] = {}  # noqa: RUF012 - never changed in place
    fault: Reason | None = None


@SOURCES.register("webdataset")
class WebDataset(Source):
    """Samples of tar archives: a picture, and a caption in `KEY.txt` or in `KEY.json`.

    A member's key is its path up to the first dot of its name, as WebDataset has it. Archives are read once
    for the places of their members, uncompressed, and then by place.

    Settings: `path`, an archive, a folder of them or a pattern of names such as "shards/train-*.tar";
    `caption_key`, the key of the caption in `KEY.json`, "caption" or "text" unless said; `licence_key`, there
    too; `licence` of samples without.
    """

    name: Literal["webdataset"] = "webdataset"
    path: str
    caption_key: str | None = None
    licence_key: str | None = None
    licence: str = "unknown"

    def open(self, size: int, limit: int | None) -> Corpus:
        where = Path(self.path)
        found = where.glob("*.tar") if where.is_dir() else where.parent.glob(where.name)
        tars = sorted(path for path in found if path.is_file())
        if not tars:
            raise LepbenchError(f"no archives at {self.path}", "give a .tar, a folder of them or a pattern")
        samples = [sample for number, tar in enumerate(tars) for sample in index(number, tar)][:limit]
        if not samples:
            raise LepbenchError(f"the archives at {self.path} hold nothing", "check the path")
        return Samples(self, tars, samples)


class Samples(Corpus):
    """The samples of a `WebDataset`; only their places are held."""

    def __init__(self, source: WebDataset, tars: list[Path], samples: list[Sample]) -> None:
        self.source, self.tars, self.samples = source, tars, samples
        self.names = list(distinct(f"{tars[sample.tar].name}/{sample.key}" for sample in samples))
        self.label = f"webdataset:{tars[0].resolve().parent.name}"
        self.licence, self.count = source.licence, len(samples)

    def __getstate__(self) -> dict[str, Any]:
        """Without open files: each process opens its own."""
        return {key: value for key, value in vars(self).items() if not key.startswith("_")}

    def entry(self, number: int) -> Entry:
        return Entry(self.names[number], lambda: self._load(self.samples[number]))

    def recipe(self) -> dict[str, Any]:
        running = hashlib.sha256()
        for sample in self.samples:
            running.update(repr(sample).encode(errors="surrogatepass"))
        settings = self.source.model_dump(mode="json", exclude={"path"})
        return settings | {"tars": [tar.name for tar in self.tars], "fingerprint": running.hexdigest()}

    def _load(self, sample: Sample) -> Original:
        if sample.fault is not None:
            raise Rejected(sample.fault)
        if "picture" not in sample.parts:
            raise Rejected(Reason.NO_PICTURE)
        record = self._record(sample)
        caption = self._caption(sample, record)
        licence = record.get(self.source.licence_key) if self.source.licence_key else None
        return Original(self._bytes(sample, "picture"), caption, licence and str(licence))

    def _caption(self, sample: Sample, record: dict[str, Any]) -> str:
        keys = CAPTION_KEYS if self.source.caption_key is None else (self.source.caption_key,)
        told = [record[key] for key in keys if isinstance(record.get(key), str)]
        if "text" in sample.parts and self.source.caption_key is None:
            return self._bytes(sample, "text").decode("utf-8-sig", LENIENT)
        if not told:
            raise Rejected(Reason.NO_CAPTION)
        return str(told[0])

    def _record(self, sample: Sample) -> dict[str, Any]:
        if "record" not in sample.parts:
            return {}
        try:
            record = json.loads(self._bytes(sample, "record"))
        except (ValueError, RecursionError) as error:
            raise Rejected(Reason.BAD_ROW, "not JSON") from error
        if not isinstance(record, dict):
            raise Rejected(Reason.BAD_ROW, "not a JSON object")
        return record

    def _bytes(self, sample: Sample, kind: str) -> bytes:
        part = sample.parts[kind]
        if part.size > MOST_BYTES:
            raise Rejected(Reason.TOO_LARGE, f"more than {MOST_BYTES} bytes")
        stream: BinaryIO = self._open(self.tars[sample.tar])
        stream.seek(part.offset)
        content = stream.read(part.size)
        if len(content) < part.size:
            raise Rejected(Reason.CUT_OFF)
        if not content:
            raise Rejected(Reason.EMPTY_FILE)
        return content

    @cached_property
    def _open(self) -> Any:
        return lru_cache(maxsize=OPEN_TARS)(lambda path: path.open("rb"))


def index(number: int, path: Path) -> Iterator[Sample]:
    """What an archive holds: members that cannot be used, samples, and where it is damaged.

    Raises:
        LepbenchError: see `members`.
    """
    samples: dict[str, Sample] = {}
    damages: list[Damage] = []
    for member in members(path):
        if isinstance(member, Damage):
            damages.append(member)
            continue
        fault = _fault(member)
        key, kind = _key(member.name)
        sample = samples.get(key, Sample(number, key))
        if fault is None and kind in sample.parts:
            fault = Reason.REPEATED
        if fault is not None:
            yield Sample(number, member.name, fault=fault)
        else:
            here = {kind: Part(member.offset_data, member.size)} if kind else {}
            samples[key] = sample._replace(parts=sample.parts | here)
    yield from samples.values()
    yield from (Sample(number, damage.name, fault=damage.reason) for damage in damages)


def _key(name: str) -> tuple[str, str]:
    """A member's key, and which part of the sample it is; empty for one that is not used."""
    place = PurePosixPath(name)
    stem, _, suffix = place.name.partition(".")
    return (place.parent / stem).as_posix(), KINDS.get(f".{suffix}".lower(), "")


def _fault(member: tarfile.TarInfo) -> Reason | None:
    try:
        check_inside(member.name)
    except Rejected as rejected:
        return rejected.reason
    if member.size < 0:
        return Reason.DAMAGED
    return None if member.isreg() and not member.issparse() else Reason.NOT_PLAIN
