"""Base classes of sketch corpora: configurations that open numbered drawings."""

from __future__ import annotations

import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

from lepbench.config import Config
from lepbench.errors import make_printable, shorten
from lepbench.registry import Registry
from lepbench.strokes import Points, measure_extent

SHOWN = 400
"""Characters of what is said of a drawing, which may quote it."""
LARGEST = 8 << 20
"""Bytes of a drawing above which it is not read: real ones have some hundred thousand at most."""


class Fault(StrEnum):
    """Why a drawing is left out."""

    UNREADABLE = "file cannot be read"
    DAMAGED = "malformed drawing"
    TOO_LARGE = "drawing is too large"
    EMPTY = "no strokes"
    OUT_OF_FRAME = "strokes far outside the frame"
    NOT_RECOGNISED = "not recognised when drawn"
    NO_LABEL = "no class or caption"
    BAD_PHOTO = "photograph cannot be decoded"
    REPEATED = "id used before"


class Unusable(Exception):  # noqa: N818 - an outcome that is counted, not a fault of the run
    """One drawing cannot be used; whoever reads the corpus counts it and goes on."""

    def __init__(self, fault: StrEnum, detail: str = "") -> None:
        detail = shorten(make_printable(detail), SHOWN)
        super().__init__(f"{fault}: {detail}" if detail else str(fault))
        self.fault, self.detail = fault, detail


class Name(NamedTuple):
    """A drawing before it is read: its id, and its class where the corpus has classes."""

    id: str
    label: str | None


@dataclass(frozen=True)
class Drawing:
    """A sketch as its corpus has it.

    Attributes:
        id: unique in its corpus.
        label: the class that was drawn; None in a corpus without classes.
        caption: a sentence on it; None in a corpus without captions.
        strokes: polylines float64 [N, 2] as (x, y), y downwards, in drawing order, at least one.
        width: of the frame, in the units of the strokes; it begins at 0.
        height: likewise.
        photo: the encoded picture that was drawn, filling the frame; None where there is none.
        user: who drew it; None where that is not known.
        unsupported: how often something in it is not drawn, or not as it should be, by its name.
    """

    id: str
    label: str | None
    caption: str | None
    strokes: tuple[Points, ...]
    width: float
    height: float
    photo: bytes | None = None
    user: str | None = None
    unsupported: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """See that it can be drawn.

        Raises:
            Unusable: there are no strokes, a number is not finite, or a point is a whole frame away.
        """
        if not self.strokes:
            raise Unusable(Fault.EMPTY)
        if not all(np.isfinite(line).all() for line in self.strokes):
            raise Unusable(Fault.DAMAGED, "a coordinate is not finite")
        frame = np.array([self.width, self.height])
        if not (np.isfinite(frame).all() and (frame > 0).all()):
            raise Unusable(Fault.DAMAGED, f"a frame of {self.width:g} x {self.height:g}")
        low, high = measure_extent(self.strokes)
        if (low < -frame).any() or (high > 2 * frame).any():
            side = max(*(-low / frame), *(high / frame - 1))
            raise Unusable(Fault.OUT_OF_FRAME, f"by {side:.3g} of its sides")


class Sketchbook(ABC):
    """An opened corpus: numbered drawings with random access, from any process.

    Attributes:
        licence: of the drawings.
        photos: whether every drawing has its picture.
        count: how many entries there are, usable or not.
    """

    licence: str
    photos: bool = False
    count: int

    @abstractmethod
    def names(self) -> Iterator[Name]:
        """The name of every entry, in the order of their numbers; drawings are not read for it."""

    def name(self, number: int) -> Name:
        """The name of the entry of a number below `count`."""
        return next(islice(self.names(), number, None))

    @abstractmethod
    def drawing(self, number: int) -> Drawing:
        """The drawing of a number below `count`.

        Raises:
            Unusable: it cannot be used.
        """


class SketchCorpus(Config, ABC):
    """Where drawings come from. A subclass narrows `name` to its own and adds its settings.

    Attributes:
        protocol: the name of the one that scores suites of it; None for that of all drawings.
    """

    protocol: ClassVar[str | None] = None

    name: str
    path: Path

    @abstractmethod
    def open(self) -> Sketchbook:
        """Index the drawings without reading them.

        Raises:
            LepbenchError: there is nothing to read, or a library is missing.
        """


SKETCHES: Registry[type[SketchCorpus]] = Registry("sketch corpus", SketchCorpus)


def read_file(path: Path) -> bytes:
    """A file's bytes.

    Raises:
        Unusable: it cannot be read, is no plain file, or is too large to be one drawing or photograph.
    """
    try:
        state = path.stat()
        # A pipe would be waited for, and a device may never end.
        if not stat.S_ISREG(state.st_mode):
            raise Unusable(Fault.UNREADABLE, f"{path.name}: no plain file")
        if state.st_size > LARGEST:
            raise Unusable(Fault.TOO_LARGE, f"{path.name} has more than {LARGEST} bytes")
        return path.read_bytes()
    except OSError as error:
        raise Unusable(Fault.UNREADABLE, f"{path.name}: {error.strerror}") from error


def frame_lines(lines: Sequence[Points]) -> tuple[tuple[Points, ...], float, float]:
    """Lines moved to begin at 0, with their own extent as the frame: for corpora that know no other.

    A drawing with no extent in a direction, such as a dot, has a frame of 1 there.

    Raises:
        Unusable: there are none.
    """
    if not lines:
        raise Unusable(Fault.EMPTY)
    low, high = measure_extent(lines)
    # Numbers too far apart become infinite, which `Drawing` refuses.
    with np.errstate(over="ignore", invalid="ignore"):
        width, height = (float(side) or 1.0 for side in high - low)
        return tuple(line - low for line in lines), width, height
