"""Suites of a folder of sketches, each with one prompt or several, with pictures or without."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
from PIL import Image
from pydantic import Field

from lepbench.data.captions import clean_caption
from lepbench.data.corpus import Reason, Rejected
from lepbench.data.sources.files import read_picture
from lepbench.detectors import Canny
from lepbench.errors import LepbenchError
from lepbench.files import as_text, sha256_bytes
from lepbench.images import encode_png, open_rgb, square
from lepbench.sketches import Name, Unusable
from lepbench.sketches.svg import SUFFIXES as VECTOR
from lepbench.sketches.svg import check_libraries
from lepbench.suite_sources.base import (
    SUITE_SOURCES,
    Candidate,
    Candidates,
    SuiteItem,
    SuiteSource,
    order_names,
    take_turns,
)
from lepbench.suite_sources.drawings import make_file_name
from lepbench.suite_sources.prompts import PromptRow, mark_repeated, name_items, read_prompts
from lepbench.suite_sources.sketch_files import Frame, SketchColumns, fit_file

LONGEST = 2000
"""Characters of a prompt that are kept, as of a caption in a built set."""
KEPT = 64
"""Sketches that stay fitted, for their other prompts."""


@SUITE_SOURCES.register("folder")
class FolderSource(SuiteSource):
    """A folder of sketches (PNG, JPEG, WebP, SVG and others) and a table of prompts, or files beside each.

    Settings: `path`; `size` of sketches and pictures, px; `table`, a CSV, TSV, JSON-lines or Parquet file, by
    default `prompts.csv`, `.tsv` or `.jsonl` in the folder; `thin`, redraw thick strokes as thin lines;
    `licence` of items without one of their own.
    """

    name: Literal["folder"] = "folder"
    path: Path
    size: int = Field(default=512, ge=16, le=4096)
    table: Path | None = None
    thin: bool = True
    licence: str = "unknown"

    @property
    def most(self) -> int:
        return self.items or sys.maxsize

    def open(self) -> Candidates:
        rows = mark_repeated(read_prompts(self.path, self.table))
        if any(PurePosixPath(row.sketch).suffix.lower() in VECTOR for row in rows):
            check_libraries()
        return FolderCandidates(self, rows)


class FolderCandidates(Candidates):
    """The rows of a folder's table."""

    detector = Canny()

    def __init__(self, source: FolderSource, rows: list[PromptRow]) -> None:
        self.source, self.rows, self.count = source, rows, len(rows)
        self.ids = name_items(rows, str(source.table or source.path))
        self.size, self.licence = source.size, source.licence
        self.corpus = f"folder {as_text(source.path.resolve().name)}"
        written = "\n".join(f"{row.place} {sorted(row.values.items())}" for row in rows)
        listed = sha256_bytes(written.encode(errors="surrogateescape"))
        self.settings = {"prompts": listed, "thin": source.thin, "licence": source.licence}
        self.description = "Sketches of a folder with their prompts, classes and sketches by turns."
        self._fit = lru_cache(maxsize=KEPT)(self._read_sketch)

    def queues(self) -> Iterator[Iterable[Candidate]]:
        names = [Name(name, row.values.get("class")) for name, row in zip(self.ids, self.rows, strict=True)]
        for queue in order_names(names, self.source.seed):
            yield map(self._candidate, alternate([(self.rows[number].sketch, number) for number in queue]))

    def _candidate(self, number: int) -> Candidate:
        return Candidate(lambda: self.ids[number], partial(self._make, self.ids[number], self.rows[number]))

    def _make(self, name: str, row: PromptRow) -> SuiteItem:
        if row.fault is not None:
            raise Unusable(*row.fault)
        try:
            prompt = clean_caption(row.values["prompt"], LONGEST).text
            picture, frame = self._read_picture(row.values.get("picture"))
            fitted = self._fit(row.sketch, frame)
        except Rejected as rejected:
            raise Unusable(rejected.reason, rejected.detail) from rejected
        about = {key: row.values.get(key) for key in ("negative_prompt", "level", "licence")}
        about["label"] = row.values.get("class")
        item = {"item_id": make_file_name(name), "prompt": prompt, "image": picture, **fitted.columns}
        return SuiteItem(item | about, fitted.unsupported, fitted.changes)

    def _read_picture(self, name: str | None) -> tuple[bytes | None, Frame | None]:
        """A picture's centre square, encoded, and the size of the whole."""
        if name is None:
            return None, None
        try:
            image: Image.Image = open_rgb(read_picture(self.source.path, name), name)
        except LepbenchError as error:
            raise Rejected(Reason.NOT_DECODABLE, str(error)) from error
        return encode_png(np.asarray(square(image, self.size))), image.size

    def _read_sketch(self, name: str, frame: Frame | None) -> SketchColumns:
        content = read_picture(self.source.path, name)
        return fit_file(content, name, self.size, picture=frame, thin=self.source.thin)


def alternate(numbers: Iterable[tuple[str, int]]) -> Iterator[int]:
    """Numbers by turns of their keys, both in the order of their first use.

    So neighbours, which `wrong_sketch` swaps, seldom share a sketch.
    """
    by_key: dict[str, list[int]] = {}
    for key, number in numbers:
        by_key.setdefault(key, []).append(number)
    return take_turns(by_key.values())
