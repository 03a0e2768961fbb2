"""Suites of people's drawings: prompts and rendered strokes of any sketch corpus."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import Field, SerializeAsAny, field_validator

from lepbench.config import select_config
from lepbench.detectors import Canny
from lepbench.files import sha256_bytes
from lepbench.images import Pixels, encode_png, open_rgb, square
from lepbench.sketches import SKETCHES, Drawing, Fault, Sketchbook, SketchCorpus, Unusable
from lepbench.strokes import Points, crop_strokes, fit_strokes, number_strokes
from lepbench.suite_sources.base import (
    DRAWINGS,
    SUITE_SOURCES,
    Candidate,
    Candidates,
    SuiteItem,
    SuiteSource,
    order_names,
)
from lepbench.suite_sources.placeholders import check_placeholders
from lepbench.suites.freeze import ItemRow

LABEL = "{label}"


class Drawings(SuiteSource):
    """People's drawings, of a sketch corpus by its own name.

    A plug-in that registers a sketch corpus need not register a source, too.

    Settings: `corpus`; `size`, side of pictures and sketches, px; `prompt`, the template for a drawing with a
    class; captions are used as they are.
    """

    corpus: SerializeAsAny[SketchCorpus]
    size: int = Field(default=512, ge=16, le=4096)
    prompt: str = f"a photo of a {LABEL}"

    @field_validator("prompt")
    @classmethod
    def _names_the_class(cls, prompt: str) -> str:
        check_placeholders("the template", prompt, LABEL)
        return prompt

    @classmethod
    def from_request(
        cls, name: str, path: Path | None, options: Mapping[str, Any], settings: Mapping[str, Any]
    ) -> Self:
        place = {} if path is None else {"path": path}
        corpus = select_config({**settings, **place, "name": name}, SKETCHES)
        return cls.model_validate({**options, "name": name, "corpus": corpus})

    @classmethod
    def needs_path(cls, name: str) -> bool:
        return SKETCHES.get(name).model_fields["path"].is_required()

    @property
    def least(self) -> int:
        return self.items or 1

    def open(self) -> Candidates:
        return DrawingCandidates(self, self.corpus.open())


for shipped in SKETCHES.list_loaded():
    SUITE_SOURCES.register(shipped.model_fields["name"].default)(Drawings)


class DrawingCandidates(Candidates):
    """The drawings of an opened corpus."""

    detector = Canny()
    all_by_default = False

    def __init__(self, source: Drawings, book: Sketchbook) -> None:
        self.source, self.book, self.count = source, book, book.count
        corpus = source.corpus
        self.corpus, self.settings = corpus.name, corpus.model_dump(mode="json", exclude={"name", "path"})
        self.licence, self.size = book.licence, source.size
        self.protocol = corpus.protocol or DRAWINGS
        pictures = "with their pictures" if book.photos else "without pictures"
        self.description = (
            f"Drawings of {corpus.name} {pictures}, classes by turns, in the order of a hash of their ids."
        )

    def queues(self) -> Iterator[Iterable[Candidate]]:
        return (map(self._candidate, queue) for queue in order_names(self.book.names(), self.source.seed))

    def _candidate(self, number: int) -> Candidate:
        return Candidate(lambda: self.book.name(number).id, partial(self._make, number))

    def _make(self, number: int) -> SuiteItem:
        drawing = self.book.drawing(number)
        return SuiteItem(make_item_row(drawing, self.size, self.source.prompt), drawing.unsupported)


def make_item_row(drawing: Drawing, size: int, prompt: str) -> ItemRow:
    """A drawing as a row of a suite of `size` px, with the prompt's template for one without a caption.

    Raises:
        Unusable: there is nothing to prompt with, or nothing of it is in the square.
    """
    if drawing.caption is None and drawing.label is None:
        raise Unusable(Fault.NO_LABEL)
    placed = fit_strokes if drawing.photo is None else crop_strokes
    return {
        "item_id": make_file_name(drawing.id),
        "prompt": drawing.caption or prompt.replace(LABEL, drawing.label or ""),
        "image": None if drawing.photo is None else encode_png(_photo(drawing.photo, size)),
        **draw_strokes(placed(drawing.strokes, drawing.width, drawing.height, size), size),
        "label": drawing.label,
    }


def draw_strokes(lines: list[Points], size: int) -> ItemRow:
    """The columns `sketch` and `strokes` of lines on a square of `size` px.

    Raises:
        Unusable: none is in the square, or there are too many to number.
    """
    try:
        strokes = number_strokes(lines, size)
    except ValueError as error:
        raise Unusable(Fault.TOO_LARGE, str(error)) from error
    if not strokes.any():
        raise Unusable(Fault.EMPTY, "none is in the square")
    return {"sketch": encode_png(strokes > 0), "strokes": encode_png(strokes)}


def make_file_name(identity: str) -> str:
    """An id as a file's name, one name an id: where characters had to go, a hash of the whole is added."""
    plain = re.sub(r"[^\w.-]+", "_", identity, flags=re.ASCII).strip(".")[:80]
    return plain if plain == identity else f"{plain}-{sha256_bytes(identity.encode())[:8]}"


def _photo(content: bytes, size: int) -> Pixels:
    return np.asarray(square(open_rgb(content), size))
