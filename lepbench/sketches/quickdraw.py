"""Quick, Draw!: doodles of single things, a line of JSON each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError

from lepbench.documents import check_document, parse_json
from lepbench.errors import LepbenchError
from lepbench.files import is_hidden
from lepbench.sketches.base import (
    LARGEST,
    SKETCHES,
    Drawing,
    Fault,
    Name,
    Sketchbook,
    SketchCorpus,
    Unusable,
    frame_lines,
)

SUFFIX = ".ndjson"
PIECE = 1 << 24
KEY = re.compile(rb'"key_id"\s*:\s*"?(\w+)')
WORD = re.compile(rb'"word"\s*:\s*("(?:[^"\\]|\\.)*")')


@SKETCHES.register("quickdraw")
class QuickDraw(SketchCorpus):
    """A file of drawings as JSON lines, simplified or raw, or a folder of such files.

    Settings: `path`; `recognized_only` leaves out what the game's network did not recognise.
    """

    name: Literal["quickdraw"] = "quickdraw"
    recognized_only: bool = True

    def open(self) -> Sketchbook:
        found = [self.path] if self.path.is_file() else sorted(self.path.glob(f"*{SUFFIX}"))
        files = [path for path in found if not is_hidden(path.name)]
        if not files:
            raise LepbenchError(f"{self.path} holds no {SUFFIX} file", "check the path")
        book = Doodles(files, self.recognized_only)
        if not book.count:
            raise LepbenchError(f"{self.path} holds no drawing", "each line of a file is one")
        return book


Coordinates = Annotated[list[float], FailFast()]
"""Of which the first that is no number is told, and not each of a million."""


class NdjsonLine(BaseModel):
    """What is read of a line; other keys are passed over."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    key_id: str
    word: Annotated[str, Field(min_length=1)]
    recognized: bool = True
    drawing: Annotated[list[Annotated[list[Coordinates], FailFast()]], FailFast()]
    """A stroke is xs, ys and, in the raw files, times."""


class Doodles(Sketchbook):
    """The lines of files, found by their offsets."""

    licence = "CC-BY-4.0"

    def __init__(self, files: list[Path], recognized_only: bool) -> None:
        self.files, self.recognized_only = files, recognized_only
        self._spans = [line_spans(path) for path in files]
        self._ends = np.cumsum([len(spans) for spans in self._spans])
        self.count = int(self._ends[-1])

    def names(self) -> Iterator[Name]:
        for path, spans in zip(self.files, self._spans, strict=True):
            with _opened(path) as stream:
                for number, (start, end) in enumerate(spans):
                    stream.seek(start)
                    yield name_of(stream.read(min(end - start, LARGEST)), f"{path.stem}-{number}")

    def name(self, number: int) -> Name:
        path, rank, line = self._read_line(number)
        return name_of(line, f"{path.stem}-{rank}")

    def drawing(self, number: int) -> Drawing:
        *_, line = self._read_line(number)
        if len(line) > LARGEST:
            raise Unusable(Fault.TOO_LARGE, f"a line of more than {LARGEST} bytes")
        return parse_drawing(line, self.recognized_only)

    def _read_line(self, number: int) -> tuple[Path, int, bytes]:
        """An entry's file, its number in it, and its line, cut off where it is too long."""
        file = int(np.searchsorted(self._ends, number, side="right"))
        rank = number - int(self._ends[file] - len(self._spans[file]))
        start, end = self._spans[file][rank]
        with _opened(self.files[file]) as stream:
            stream.seek(start)
            return self.files[file], rank, stream.read(min(end - start, LARGEST + 1))


def line_spans(path: Path) -> NDArray[np.int64]:
    """First byte of every line that is not empty, and the byte after its last, [N, 2].

    Raises:
        LepbenchError: the file cannot be read.
    """
    breaks = [np.array([-1])]
    size = 0
    with _opened(path) as stream:
        while piece := stream.read(PIECE):
            breaks.append(np.flatnonzero(np.frombuffer(piece, np.uint8) == ord("\n")) + size)
            size += len(piece)
    ends = np.concatenate([*breaks, [size]])
    spans = np.stack([ends[:-1] + 1, ends[1:]], axis=1)
    return spans[spans[:, 1] > spans[:, 0]]


def name_of(line: bytes, otherwise: str) -> Name:
    """Id and word of a line, found without parsing it; the name given where it has no id."""
    key, word = KEY.search(line), WORD.search(line)
    try:
        label = None if word is None else str(parse_json(word[1]))
    except ValueError:
        label = None
    return Name(otherwise if key is None else key[1].decode(errors="replace"), label)


def parse_drawing(line: bytes, recognized_only: bool) -> Drawing:
    """The drawing on a line; its frame is its extent, as raw files have no other.

    Raises:
        Unusable: the line is damaged or has no strokes, or the drawing was not recognised.
    """
    try:
        document = parse_json(line)
        check_document(document)
        said = NdjsonLine.model_validate(document)
    except ValidationError as error:
        raise Unusable(Fault.DAMAGED, describe_fault(error)) from error
    except ValueError as error:
        raise Unusable(Fault.DAMAGED, f"not valid JSON: {error}") from error
    if recognized_only and not said.recognized:
        raise Unusable(Fault.NOT_RECOGNISED)
    if any(len(s) < 2 or not len(s[0]) == len(s[1]) > 0 for s in said.drawing):
        raise Unusable(Fault.DAMAGED, "a stroke has not as many x as y")
    strokes, width, height = frame_lines([np.array(stroke[:2], np.float64).T for stroke in said.drawing])
    return Drawing(said.key_id, said.word, caption=None, strokes=strokes, width=width, height=height)


def describe_fault(error: ValidationError) -> str:
    """What is wrong with a line first, and where in it."""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else str(first["msg"])


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise LepbenchError(f"cannot read {path}: {error.strerror}", "check its permissions") from error
