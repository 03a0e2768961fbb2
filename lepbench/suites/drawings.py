"""A frozen suite of human drawings: prompts and rendered strokes from a sketch corpus."""

from __future__ import annotations

import re
from array import array
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import Field, field_validator

from lepbench.config import Config
from lepbench.detectors import Canny
from lepbench.errors import LepbenchError
from lepbench.files import list_visible, make_folder, sha256_bytes
from lepbench.images import Pixels, encode_png, open_rgb, square
from lepbench.progress import Progress
from lepbench.seeds import derive_seed
from lepbench.sketches import Drawing, Fault, Name, Sketchbook, SketchCorpus, Unusable
from lepbench.sketches.rejects import (
    REJECTED,
    UNSUPPORTED,
    Part,
    Reject,
    count_parts,
    count_reasons,
    describe_rejects,
    write_lines,
)
from lepbench.strokes import crop_strokes, fit_strokes, number_strokes
from lepbench.suites.make import ItemRow, freeze_suite
from lepbench.suites.suite import Drawn, SuiteDefinition

DEFAULT_ITEMS = 64
LABEL = "{label}"


class SuiteRequest(Config):
    """Settings of a suite of drawings."""

    name: str = Field(pattern=r"^[\w.-]+$")
    items: int = Field(default=256, ge=1)
    size: int = Field(default=512, ge=16, le=4096)
    seed: int = 0
    prompt: str = f"a photo of a {LABEL}"
    """Prompt template of a drawing with a class; captions are used as they are."""

    @field_validator("prompt")
    @classmethod
    def _names_the_class(cls, prompt: str) -> str:
        if LABEL not in prompt:
            raise ValueError(f"must hold {LABEL}")
        return prompt


class DrawingSuite(NamedTuple):
    """What was made: the suite's definition, the drawings left out, and those of which a part is."""

    definition: SuiteDefinition
    rejects: list[Reject]
    parts: list[Part]


def draw_suite(corpus: SketchCorpus, request: SuiteRequest, folder: Path, progress: Progress) -> DrawingSuite:
    """Write a suite of `request.items` drawings into `folder`.

    Classes alternate, each with its drawings in the order of a hash of their ids, so that any number from
    the front is a fair and balanced sample. A drawing that cannot be used is a line of `rejected.jsonl`, and
    the next one is taken.

    Args:
        progress: called with (stage, done, total).

    Raises:
        LepbenchError: there are not as many usable drawings, or the folder holds files or cannot be written.
    """
    if folder.is_dir() and any(path.name != REJECTED for path in list_visible(folder)):
        raise LepbenchError(f"{folder} is not empty", "choose another --out")
    book = corpus.open()
    rejects: list[Reject] = []
    parts: list[Part] = []
    rows: list[ItemRow] = []
    for row, part in islice(pick_items(book, request, rejects), request.items):
        rows.append(row)
        parts += [part] if part.unsupported else []
        progress("items", len(rows), request.items)
    (folder / REJECTED).unlink(missing_ok=True)
    write_lines(folder / REJECTED, rejects)
    if len(rows) < request.items:
        raise _explain_shortage(len(rows), book.count, rejects, folder)
    make_folder(folder)
    write_lines(folder / UNSUPPORTED, parts)
    about = _about(corpus, book, request, rejects=rejects, parts=parts)
    return DrawingSuite(freeze_suite(folder, rows, **about), rejects, parts)


def _explain_shortage(usable: int, count: int, rejects: list[Reject], folder: Path) -> LepbenchError:
    why = f"; left out: {describe_rejects(rejects)}" if rejects else ""
    fix = f"lower --items; every reason is in {folder / REJECTED}" if rejects else "lower --items"
    return LepbenchError(f"only {usable} of {count} drawings can be used{why}", fix)


def pick_items(
    book: Sketchbook, request: SuiteRequest, rejects: list[Reject]
) -> Iterator[tuple[ItemRow, Part]]:
    """Items in the order of the suite, and what each lacks; what is passed over goes to `rejects`."""
    used: set[str] = set()
    turns = deque(
        _rows(queue, book, request, rejects=rejects, used=used)
        for queue in order_drawings(book.names(), request.seed)
    )
    while turns:
        rows = turns.popleft()
        row = next(rows, None)
        if row is not None:
            yield row
            turns.append(rows)


def order_drawings(names: Iterable[Name], seed: int) -> Iterator[list[int]]:
    """The numbers of each class's drawings by a hash of their ids, the classes by a hash of their labels."""
    hashes: defaultdict[str | None, array[int]] = defaultdict(lambda: array("Q"))
    numbers: defaultdict[str | None, array[int]] = defaultdict(lambda: array("Q"))
    for number, name in enumerate(names):
        hashes[name.label].append(derive_seed(seed, name.id))
        numbers[name.label].append(number)
    for label in sorted(hashes, key=lambda label: derive_seed(seed, label or "")):
        order = np.argsort(np.array(hashes[label]), kind="stable")
        yield np.array(numbers[label])[order].tolist()


def _rows(
    queue: Iterable[int], book: Sketchbook, request: SuiteRequest, rejects: list[Reject], used: set[str]
) -> Iterator[tuple[ItemRow, Part]]:
    """A class's items, none of an id that is used already."""
    for number in queue:
        try:
            drawing = book.drawing(number)
            row = make_item_row(drawing, request)
            if row["item_id"] in used:
                raise Unusable(Fault.REPEATED, row["item_id"])
        except Unusable as unusable:
            name = book.name(number).id
            rejects.append(Reject(id=name, reason=unusable.fault, detail=unusable.detail))
            continue
        used.add(row["item_id"])
        yield row, Part(id=drawing.id, unsupported=drawing.unsupported)


def make_item_row(drawing: Drawing, request: SuiteRequest) -> ItemRow:
    """A drawing as a row of a suite.

    Raises:
        Unusable: there is nothing to prompt with, or nothing of it is in the square.
    """
    if drawing.caption is None and drawing.label is None:
        raise Unusable(Fault.NO_LABEL)
    placed = fit_strokes if drawing.photo is None else crop_strokes
    lines = placed(drawing.strokes, drawing.width, drawing.height, request.size)
    try:
        strokes = number_strokes(lines, request.size)
    except ValueError as error:
        raise Unusable(Fault.TOO_LARGE, str(error)) from error
    if not strokes.any():
        raise Unusable(Fault.EMPTY, "none is in the square")
    return {
        "item_id": make_file_name(drawing.id),
        "prompt": drawing.caption or request.prompt.replace(LABEL, drawing.label or ""),
        "image": None if drawing.photo is None else encode_png(_photo(drawing.photo, request.size)),
        "sketch": encode_png(strokes > 0),
        "strokes": encode_png(strokes),
        "label": drawing.label,
    }


def make_file_name(identity: str) -> str:
    """An id as a file's name, one name an id: where characters had to go, a hash of the whole is added."""
    plain = re.sub(r"[^\w.-]+", "_", identity, flags=re.ASCII).strip(".")[:80]
    return plain if plain == identity else f"{plain}-{sha256_bytes(identity.encode())[:8]}"


def _photo(content: bytes, size: int) -> Pixels:
    return np.asarray(square(open_rgb(content), size))


def _about(
    corpus: SketchCorpus, book: Sketchbook, request: SuiteRequest, rejects: list[Reject], parts: list[Part]
) -> dict[str, Any]:
    """The definition's fields beside the items."""
    pictures = "with their photographs" if book.photos else "without pictures"
    return {
        "name": request.name,
        "truths": ("picture", "strokes", "label") if book.photos else ("strokes", "label"),
        "protocol": "lepbench-drawings-v1",
        "version": 1,
        "description": (
            f"Drawings of {corpus.name} {pictures}, classes by turns, in the order of a hash of their ids."
        ),
        "licence": book.licence,
        "size": request.size,
        "default_items": min(request.items, DEFAULT_ITEMS),
        "detector": Canny().model_dump(),
        "drawn": Drawn(
            corpus=corpus.name,
            settings=corpus.model_dump(mode="json", exclude={"name", "path"}),
            seed=request.seed,
            first_index=0,
            considered=request.items + len(rejects),
            left_out=count_reasons(rejects),
            unsupported=count_parts(parts),
        ),
    }
