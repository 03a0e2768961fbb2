"""What a source is: a closed configuration that opens into a numbered corpus of captioned pictures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, SerializeAsAny, ValidationError

from lepbench.config import Config, explain
from lepbench.errors import LepbenchError
from lepbench.images import Pixels
from lepbench.registry import Registry


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


class Source(Config, ABC):
    """Where captioned pictures come from. A subclass narrows `name` to its own and adds its settings."""

    name: str

    @abstractmethod
    def open(self, size: int, limit: int | None) -> Corpus:
        """Look at what there is, without decoding it.

        Args:
            size: side of the pictures wanted, px; a source that draws its pictures draws them so.
            limit: try this many entries at most, in the source's own order; None for all.

        Raises:
            LepbenchError: there is nothing to read.
        """


SOURCES: Registry[type[Source]] = Registry("source")


def source_from(config: str | dict[str, Any] | Source) -> Source:
    """The source that a name, or a mapping with `name` and settings, asks for.

    Raises:
        LepbenchError: no such source, a key it does not know, or a value it does not take.
    """
    if isinstance(config, Source):
        return config
    settings = {"name": config} if isinstance(config, str) else config
    if not isinstance(settings, dict) or not isinstance(settings.get("name"), str):
        raise LepbenchError(f"{config!r} names no source", f"name one of: {', '.join(SOURCES)}")
    kind = SOURCES.get(settings["name"])
    try:
        return kind.model_validate(settings)
    except ValidationError as error:
        raise LepbenchError(f"source {settings['name']!r}: {explain(error, kind)}") from error


# A field of this type takes any registered source in a larger configuration, and writes its settings back.
AnySource = Annotated[SerializeAsAny[Source], BeforeValidator(source_from)]
