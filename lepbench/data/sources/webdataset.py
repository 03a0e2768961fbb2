"""WebDataset: tar archives; members with the same key are one sample."""

from __future__ import annotations

import bisect
from functools import cached_property, lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator

from lepbench.data.captions import clean_licence, decode_caption, first_text
from lepbench.data.corpus import Corpus, Entry, Original, Reason, Rejected
from lepbench.data.sources.base import SOURCES, Source
from lepbench.data.sources.files import MOST_BYTES, make_distinct
from lepbench.data.sources.samples import (
    FAULTS,
    RECORD_SUFFIX,
    Contents,
    PartSuffixes,
    SampleSuffixes,
    TarMember,
    read_contents,
)
from lepbench.documents import parse_json
from lepbench.errors import LepbenchError
from lepbench.files import as_text, is_hidden, sha256_bytes

OPEN_TARS = 8
CAPTION_KEYS = ("caption", "text", "prompt")


def _check_suffixes(text: str) -> str:
    if not all(part.strip(" .") for part in text.split(";")):
        raise ValueError("name suffixes as WebDataset does, such as jpg;png")
    return text


SuffixChoice = Annotated[str, AfterValidator(_check_suffixes)]
"""Suffixes in order of preference, as `to_tuple` of WebDataset takes them: "jpg;png;webp"."""


class TarSample(NamedTuple):
    """The parts of one sample in an archive; see `Contents`."""

    tar: Path
    parts: NDArray[np.int64]
    ranks: NDArray[np.int8]

    def has(self, part: TarMember) -> bool:
        """Whether the archive holds it."""
        return bool(self.parts[part, 0] >= 0)


@SOURCES.register("webdataset")
class WebDataset(Source):
    """Samples of tar archives: a picture, and a caption in a text or in `KEY.json`.

    A member's key is its path up to the first dot of its name, as WebDataset has it, and what is behind that
    dot its suffix. Archives are read once for the places of their members, uncompressed, and then by place.

    Settings: `path`, an archive, a folder of them or a pattern of names such as "shards/train-*.tar";
    `image`, suffixes of the picture such as "jpg;png" or "img.jpg", of which the first present counts, by
    default any of `SUFFIXES`, of which a sample may have one; `text`, suffixes of the caption such as
    "txt;json", by default one of `TEXT_SUFFIXES`, else json; `caption_key`, the key of the caption in JSON,
    by default the first of `CAPTION_KEYS`; `licence_key`, in `KEY.json`; `licence` of samples without.
    """

    name: Literal["webdataset"] = "webdataset"
    path: str
    image: SuffixChoice | None = None
    text: SuffixChoice | None = None
    caption_key: str | None = None
    licence_key: str | None = None
    licence: str = "unknown"

    @property
    def suffixes(self) -> SampleSuffixes:
        """Which members are pictures and texts."""
        usual = SampleSuffixes()
        return SampleSuffixes(
            usual.picture if self.image is None else PartSuffixes(parse_suffixes(self.image), True),
            usual.text if self.text is None else PartSuffixes(parse_suffixes(self.text), True),
        )

    def open(self, size: int, limit: int | None) -> Corpus:
        where = Path(self.path)
        found = where.glob("*.tar") if where.is_dir() else where.parent.glob(where.name)
        tars = sorted(path for path in found if path.is_file() and not is_hidden(path.name))
        if not tars:
            raise LepbenchError(f"no archives at {self.path}", "give a .tar, a folder of them or a pattern")
        contents = list(read_contents(tars, limit, self.suffixes))
        if not any(len(held.ends) for held in contents):
            raise LepbenchError(f"the archives at {self.path} hold nothing", "check the path")
        return TarCorpus(self, tars, contents)


def parse_suffixes(text: str) -> tuple[str, ...]:
    """The suffixes of a `SuffixChoice`, in small letters without their first dot, each once."""
    return tuple(dict.fromkeys(part.strip().lstrip(".").lower() for part in text.split(";")))


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
            raise Rejected(FAULTS[fault], held.detail(row))
        sample = TarSample(tar, held.parts[row], held.ranks[row])
        if not sample.has(TarMember.PICTURE):
            raise Rejected(Reason.NO_PICTURE, held.detail(row))
        record = self._read_record(sample, TarMember.RECORD) if sample.has(TarMember.RECORD) else {}
        caption = self._caption(sample, record, held.detail(row))
        licence = record.get(self.source.licence_key) if self.source.licence_key else None
        return Original(self._bytes(sample, TarMember.PICTURE), caption, clean_licence(licence))

    def _caption(self, sample: TarSample, record: dict[str, Any], unused: str) -> str:
        """The caption in the text, or in the record where no text is chosen or there."""
        source = self.source
        texts = sample.has(TarMember.TEXT) and (source.text is not None or source.caption_key is None)
        if texts and not self._is_json(sample):
            return decode_caption(self._bytes(sample, TarMember.TEXT))
        if texts:
            record = self._read_record(sample, TarMember.TEXT)
        elif source.text is not None:
            raise Rejected(Reason.NO_CAPTION, unused)
        keys = CAPTION_KEYS if source.caption_key is None else (source.caption_key,)
        found = next((text for key in keys if (text := first_text(record.get(key))) is not None), None)
        if found is None:
            raise Rejected(Reason.NO_CAPTION, f"keys: {', '.join(record)}"[:200] if record else unused)
        return found

    def _is_json(self, sample: TarSample) -> bool:
        """Whether the text of a sample is JSON, by its suffix."""
        name: str = self.source.suffixes.text.names[sample.ranks[TarMember.TEXT]]
        return name.rpartition(".")[2] == RECORD_SUFFIX

    def _read_record(self, sample: TarSample, part: TarMember) -> dict[str, Any]:
        try:
            record = parse_json(self._bytes(sample, part))
        except ValueError as error:
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
