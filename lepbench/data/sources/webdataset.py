"""WebDataset: tar archives; members with the same key are one sample."""

from __future__ import annotations

import bisect
import hashlib
import json
import posixpath
import tarfile
from array import array
from collections.abc import Iterable, Iterator
from enum import IntEnum
from functools import cached_property, lru_cache
from itertools import accumulate, chain
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lepbench.data.captions import LENIENT, clean_licence
from lepbench.data.corpus import Corpus, Entry, Original, Reason, Rejected
from lepbench.data.sources.base import SOURCES, Source
from lepbench.data.sources.files import MOST_BYTES, check_inside, make_distinct
from lepbench.data.sources.tars import Damage, list_members
from lepbench.errors import LepbenchError
from lepbench.files import as_text, sha256_bytes
from lepbench.images import SUFFIXES

OPEN_TARS = 8
CAPTION_KEYS = ("caption", "text")


class TarMember(IntEnum):
    """The parts of a sample."""

    PICTURE = 0
    TEXT = 1
    RECORD = 2


KINDS = {".txt": TarMember.TEXT, ".json": TarMember.RECORD, **dict.fromkeys(SUFFIXES, TarMember.PICTURE)}
"""Which part of a sample a member is, by its suffix."""
FAULTS = tuple(Reason)
ABSENT = (-1, 0)


class Contents(NamedTuple):
    """Index of an archive, in order: about sixty bytes per sample, and its key.

    Attributes:
        keys: all keys in UTF-8, one after the other.
        ends: int64 [N], where each key ends.
        parts: int64 [N, 3, 2], of each part where its bytes begin and how many there are; `ABSENT`.
        faults: int8 [N], index in `FAULTS` of why it is not a sample; -1 if it is one.
    """

    keys: bytes
    ends: NDArray[np.int64]
    parts: NDArray[np.int64]
    faults: NDArray[np.int8]

    def key(self, row: int) -> str:
        """The key of a row, or the name of what is no sample."""
        return self.keys[self.ends[row - 1] if row else 0 : self.ends[row]].decode()

    def first(self, rows: int) -> Contents:
        """The first rows alone."""
        if rows >= len(self.ends):
            return self
        # Copies: a view would keep the rest.
        ends, parts, faults = self.ends[:rows].copy(), self.parts[:rows].copy(), self.faults[:rows].copy()
        return Contents(self.keys[: ends[-1]], ends, parts, faults)

    def sha256(self) -> bytes:
        """The hash of all there is to it."""
        running = hashlib.sha256(self.keys)
        for numbers in (self.ends.data, self.parts.data, self.faults.data):
            running.update(numbers)
        return running.digest()


class TarSample(NamedTuple):
    """The parts of one sample in an archive."""

    tar: Path
    parts: NDArray[np.int64]

    def has(self, part: TarMember) -> bool:
        """Whether the archive holds it."""
        return bool(self.parts[part, 0] >= 0)


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
        contents = list(read_contents(tars, limit))
        if not any(len(held.ends) for held in contents):
            raise LepbenchError(f"the archives at {self.path} hold nothing", "check the path")
        return TarCorpus(self, tars, contents)


class TarCorpus(Corpus):
    """The samples of a `WebDataset`; only their offsets are held in memory."""

    def __init__(self, source: WebDataset, tars: list[Path], contents: list[Contents]) -> None:
        self.source, self.tars, self.contents = source, tars, contents
        # Keys are distinct within their archive.
        self.names = list(make_distinct(tar.name for tar in tars))
        self.ends = list(accumulate(len(held.ends) for held in contents))
        self.label = f"webdataset:{as_text(tars[0].resolve().parent.name)}"
        self.licence, self.count = source.licence, self.ends[-1]

    def __getstate__(self) -> dict[str, Any]:
        """Without open files: each process opens its own."""
        return {key: value for key, value in vars(self).items() if not key.startswith("_")}

    def entry(self, number: int) -> Entry:
        tar = bisect.bisect_right(self.ends, number)
        held, row = self.contents[tar], number - (self.ends[tar - 1] if tar else 0)
        return Entry(f"{self.names[tar]}/{held.key(row)}", lambda: self._load(self.tars[tar], held, row))

    def recipe(self) -> dict[str, Any]:
        fingerprint = sha256_bytes(b"".join(held.sha256() for held in self.contents))
        settings = self.source.model_dump(mode="json", exclude={"path"})
        return settings | {"tars": self.names, "fingerprint": fingerprint}

    def _load(self, tar: Path, held: Contents, row: int) -> Original:
        if (fault := int(held.faults[row])) >= 0:
            raise Rejected(FAULTS[fault])
        sample = TarSample(tar, held.parts[row])
        if not sample.has(TarMember.PICTURE):
            raise Rejected(Reason.NO_PICTURE)
        record = self._record(sample)
        caption = self._caption(sample, record)
        licence = record.get(self.source.licence_key) if self.source.licence_key else None
        return Original(self._bytes(sample, TarMember.PICTURE), caption, clean_licence(licence))

    def _caption(self, sample: TarSample, record: dict[str, Any]) -> str:
        keys = CAPTION_KEYS if self.source.caption_key is None else (self.source.caption_key,)
        texts = [record[key] for key in keys if isinstance(record.get(key), str)]
        if sample.has(TarMember.TEXT) and self.source.caption_key is None:
            return self._bytes(sample, TarMember.TEXT).decode("utf-8-sig", LENIENT)
        if not texts:
            raise Rejected(Reason.NO_CAPTION)
        return str(texts[0])

    def _record(self, sample: TarSample) -> dict[str, Any]:
        if not sample.has(TarMember.RECORD):
            return {}
        try:
            record = json.loads(self._bytes(sample, TarMember.RECORD))
        except (ValueError, RecursionError) as error:
            raise Rejected(Reason.BAD_ROW, "not JSON") from error
        if not isinstance(record, dict):
            raise Rejected(Reason.BAD_ROW, "not a JSON object")
        return record

    def _bytes(self, sample: TarSample, part: TarMember) -> bytes:
        offset, size = sample.parts[part].tolist()
        if size > MOST_BYTES:
            raise Rejected(Reason.TOO_LARGE, f"more than {MOST_BYTES} bytes")
        stream: BinaryIO = self._open(sample.tar)
        stream.seek(offset)
        content = stream.read(size)
        if len(content) < size:
            raise Rejected(Reason.CUT_OFF)
        if not content:
            raise Rejected(Reason.EMPTY_FILE)
        return content

    @cached_property
    def _open(self) -> Any:
        return lru_cache(maxsize=OPEN_TARS)(lambda path: path.open("rb"))


def read_contents(tars: Iterable[Path], limit: int | None) -> Iterator[Contents]:
    """Index of the archives, one after the other, up to a number of rows.

    Raises:
        LepbenchError: see `members`.
    """
    left = limit
    for tar in tars:
        held = index_samples(tar)
        yield held if left is None else held.first(left)
        if left is not None and (left := left - len(held.ends)) <= 0:
            return


def index_samples(path: Path) -> Contents:
    """What an archive holds: members that cannot be used, samples, and where it is damaged.

    Raises:
        LepbenchError: see `members`.
    """
    unusable: list[Damage] = []
    damages: list[Damage] = []
    rows: dict[str, int] = {}
    places = array("q")
    for member in list_members(path):
        if isinstance(member, Damage):
            damages.append(member)
        elif fault := _fault(member) or _place(member, rows, places):
            unusable.append(Damage(member.name, fault))
    return _packed(unusable, list(rows), places, damages)


def _place(member: tarfile.TarInfo, rows: dict[str, int], places: array[int]) -> Reason | None:
    """Record the offset of a member in the row of its sample; a repeated part is refused."""
    key, part = _key(member.name)
    if key not in rows:
        rows[key] = len(rows)
        places.extend(ABSENT * len(TarMember))
    if part is None:
        return None
    at = (rows[key] * len(TarMember) + part) * len(ABSENT)
    if places[at] >= 0:
        return Reason.REPEATED
    # What is larger is not read, however large; sizes in headers may go beyond 64 bits.
    places[at], places[at + 1] = member.offset_data, min(member.size, MOST_BYTES + 1)
    return None


def _packed(
    unusable: list[Damage], samples: list[str], places: array[int], damages: list[Damage]
) -> Contents:
    """The rows of an archive in arrays: first what is unusable, last where it is damaged."""
    before, after = len(unusable), len(damages)
    names = chain((fault.name for fault in unusable), samples, (fault.name for fault in damages))
    keys = [key.encode() for key in make_distinct(names)]
    parts = np.array(places, np.int64).reshape(-1, len(TarMember), len(ABSENT))
    absent = np.broadcast_to(np.array(ABSENT, np.int64), (max(before, after), *parts.shape[1:]))
    faults = np.full(len(keys), -1, np.int8)
    faults[:before] = [FAULTS.index(fault.reason) for fault in unusable]
    faults[len(keys) - after :] = [FAULTS.index(fault.reason) for fault in damages]
    return Contents(
        b"".join(keys),
        np.cumsum([len(key) for key in keys], dtype=np.int64),
        np.concatenate((absent[:before], parts, absent[:after])),
        faults,
    )


def _key(name: str) -> tuple[str, TarMember | None]:
    """A member's key and part; None if it is not used."""
    folder, _, file = name.rpartition("/")
    stem, _, suffix = file.partition(".")
    return posixpath.normpath(f"{folder}/{stem}" if folder else stem), KINDS.get(f".{suffix}".lower())


def _fault(member: tarfile.TarInfo) -> Reason | None:
    try:
        check_inside(member.name)
    except Rejected as rejected:
        return rejected.reason
    if member.size < 0:
        return Reason.DAMAGED
    return None if member.isreg() and not member.issparse() else Reason.NOT_PLAIN
