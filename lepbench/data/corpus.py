"""A corpus as a build sees it: numbered entries, each a captioned picture or a reason why it is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from lepbench.images import Pixels


class Reason(StrEnum):
    """Why an entry is left out of the triplets."""

    MISSING_FILE = "missing file"
    UNREADABLE_FILE = "unreadable file"
    EMPTY_FILE = "empty file"
    NOT_DECODABLE = "picture cannot be decoded"
    OUTSIDE = "path leaves the folder"
    BAD_ROW = "malformed metadata row"
    NO_CAPTION = "no caption"
    EMPTY_CAPTION = "empty caption"
    NOT_UTF8 = "caption is not UTF-8"


class Rejected(Exception):  # noqa: N818 - an outcome that is counted, not a fault of the run
    """One entry cannot become a triplet; the build notes it and goes on."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail


class Original(NamedTuple):
    """A picture as its corpus has it, encoded (bytes) or drawn (uint8 [H, W, 3]), and its caption."""

    picture: bytes | Pixels
    caption: str


class Entry(NamedTuple):
    """A name, unique in its corpus, and how to get what it names; `load` may raise `Rejected`."""

    id: str
    load: Callable[[], Original]


@dataclass(frozen=True)
class Corpus:
    """An opened source.

    Attributes:
        label: what the `source` column says.
        licence: what the `licence` column says.
        split: the name of the dataset split, as in `load_dataset(...)["train"]`.
        recipe: whatever of the source decides the triplets' bytes, and no machine's paths.
        count: how many entries are to be tried.
        entry: the entry of a number below `count`; the same number always gives the same entry.
    """

    label: str
    licence: str
    split: str
    recipe: dict[str, Any]
    count: int
    entry: Callable[[int], Entry]
