"""A corpus for a build: numbered entries, each a captioned image or a reason for rejection."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from lepbench.images import Pixels
from lepbench.strokes import Points


class Reason(StrEnum):
    """Why an entry is rejected."""

    MISSING_FILE = "missing file"
    UNREADABLE_FILE = "unreadable file"
    EMPTY_FILE = "empty file"
    NOT_DECODABLE = "picture cannot be decoded"
    OUTSIDE = "path leaves the folder"
    BAD_ROW = "malformed metadata row"
    NO_CAPTION = "no caption"
    EMPTY_CAPTION = "empty caption"
    NOT_UTF8 = "caption is not UTF-8"
    NO_PICTURE = "no picture"
    UNKNOWN_KIND = "unknown kind of picture"
    NO_SKETCH = "no sketch"
    NOT_HERE = "picture is at an address"
    AMBIGUOUS = "ambiguous sample"
    REPEATED = "repeated member"
    CUT_OFF = "archive is cut off"
    DAMAGED = "archive is damaged"
    NOT_PLAIN = "no plain file"
    TOO_LARGE = "picture is too large"
    DETECTOR_FAILED = "detector failed"
    FEW_EDGES = "too few edges"
    MANY_EDGES = "too many edges"
    DUPLICATE = "duplicate of another row"
    NEAR_DUPLICATE = "nearly a duplicate of another row"
    LEAKED = "picture of an excluded set"

    @property
    def may_pass(self) -> bool:
        """Whether a retry may succeed: the fault is of a disk or a network, not of the entry."""
        return self in (Reason.MISSING_FILE, Reason.UNREADABLE_FILE, Reason.EMPTY_FILE)


class Rejected(Exception):  # noqa: N818 - an outcome that is counted, not a fault of the run
    """One entry cannot become a triplet; the build notes it and goes on."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail


class CorpusSketch(NamedTuple):
    """A human sketch of an image.

    Attributes:
        content: the raw bytes; they and the image determine the map.
        lines: polylines in the pixels of the upright picture, whose width and height it takes; may raise
            `Rejected`.
    """

    content: bytes
    lines: Callable[[int, int], Sequence[Points]]


class Original(NamedTuple):
    """An image from its corpus, encoded (bytes) or rendered (uint8 [H, W, 3]), and its metadata.

    The caption is raw: `captions.clean` cleans it in the same way for all sources. Bytes
    of it that are not UTF-8 are lone surrogates (`errors="surrogateescape"`). `licence` is that of this
    picture, None for the corpus's; `captions.clean_licence` makes it fit. `sketch` is there where the corpus
    has one; `Rejected` says why it cannot be read.
    """

    picture: bytes | Pixels
    caption: str
    licence: str | None = None
    sketch: CorpusSketch | Rejected | None = None


class Entry(NamedTuple):
    """A name, unique in its corpus, and a function that loads the entry; `load` may raise `Rejected`."""

    id: str
    load: Callable[[], Original]


class Corpus(ABC):
    """An opened source: numbered entries with random access, from any process.

    Attributes:
        label: value of the `source` column.
        licence: value of the `licence` column for images without a licence of their own.
        split: the name of the dataset split, as in `load_dataset(...)["train"]`.
        count: how many entries are to be tried.
    """

    label: str
    licence: str
    split: str = "train"
    count: int

    @abstractmethod
    def entry(self, number: int) -> Entry:
        """The entry of a number below `count`; the same number always gives the same entry.

        Entries are read in order, so shared data may be cached.
        """

    def explain_no_captions(self) -> str:
        """What the source may hold captions in and does not read; asked for where few entries have one."""
        return ""

    @abstractmethod
    def recipe(self) -> dict[str, Any]:
        """Everything in the source that determines the triplets' bytes, without local paths.

        It includes a fingerprint of the entries, cheap enough for a million files: names and sizes.
        """
