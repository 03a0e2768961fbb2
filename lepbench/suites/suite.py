"""A suite: a folder with one YAML file of its definition and one Parquet file of its items."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import Field

from lepbench.config import Config, load_config
from lepbench.errors import LepbenchError
from lepbench.files import sha256_bytes, sha256_file
from lepbench.images import Pixels, encode_png, read_pixels
from lepbench.panels import Page, draw_strokes
from lepbench.registry import Registry, suggest_entry
from lepbench.seeds import derive_seed

SUITES = Path(__file__).parents[1] / "assets" / "suites"
FOLDERS: Registry[Path] = Registry("suite")
"""Folders of the suites that plug-ins add, by name."""
DEFINITION = "suite.yaml"
ITEMS = "items.parquet"
PANEL = 192
"""Side of a picture in a notebook, px, or as near as a whole factor comes."""
GAP = 8
"""Between pictures in a notebook, px."""
FRAME = (210, 210, 210)
"""Colour around them."""

SCHEMA = pa.schema(
    [
        ("item_id", pa.string()),
        ("prompt", pa.string()),
        ("image", pa.binary()),
        ("sketch", pa.binary()),
        ("contour", pa.binary()),
        ("mask", pa.binary()),
        ("scene", pa.string()),
        ("strokes", pa.binary()),
    ]
)


class Drawn(Config):
    """Where the items came from, and which candidates were left out."""

    corpus: str
    """Corpus and split, e.g. "sketchworld test"."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Of the corpus, without where it lay."""
    seed: int | None = None
    """Of the hash that candidates were picked by; None where they are consecutive."""
    first_index: int
    """First index of the split that was looked at; 0 where candidates were picked by a hash."""
    considered: int
    """How many candidates were looked at."""
    left_out: dict[str, int]
    """Reason to number of candidates turned away."""
    unsupported: dict[str, int] = Field(default_factory=dict)
    """What a drawing has that is not drawn, to the number of items that have it."""


class SuiteDefinition(Config):
    """Content of `suite.yaml`."""

    name: str
    kind: Literal["edges", "freehand", "drawings"] = "edges"
    """Whether the sketches are edge maps of the pictures, drawn by sketchworld's free hand with every truth
    known, or people's drawings, of which nothing but the strokes is known."""
    pictures: bool = True
    """Whether every item has its real picture."""
    version: int
    description: str
    licence: str
    size: int
    """Height and width of every picture, in pixels."""
    items: int
    """How many items the frozen list holds."""
    default_items: int
    """How many of them, from the front, a score is made of unless said otherwise."""
    detector: dict[str, Any]
    """The detector, with its settings, whose map of a sample is held against the sketch; of an edge suite it
    is the one that made the sketch."""
    contour_detector: dict[str, Any]
    """The second detector, whose map of a sample is held against the exact contours."""
    drawn: Drawn
    items_sha256: str
    """SHA-256 of `items.parquet`."""


@dataclass(frozen=True)
class Item:
    """One prompt and one sketch, with what is known of the picture they belong to.

    Attributes:
        item_id: the item's name in every table; part of its seed.
        prompt: the caption given to a model.
        image: the real picture, uint8 [H, W, 3]; None if there is none.
        sketch: bool [H, W], true on a stroke.
        contour: the exact visible contours, bool [H, W]; None where they are not known.
        mask: where any object is visible, bool [H, W]; None where that is not known.
        scene: the scene it was rendered from, as JSON; empty if there is none.
        strokes: number of the stroke on each pixel of the sketch, uint8 or uint16 [H, W]; 0 where none is.
    """

    item_id: str
    prompt: str
    image: Pixels | None = field(repr=False)
    sketch: NDArray[np.bool_] = field(repr=False)
    contour: NDArray[np.bool_] | None = field(repr=False)
    mask: NDArray[np.bool_] | None = field(repr=False)
    scene: str = field(repr=False)
    strokes: NDArray[np.uint8] | NDArray[np.uint16] = field(repr=False)

    @property
    def label(self) -> str | None:
        """The class of the item's thing; None where there are several, or the corpus has no classes."""
        things = json.loads(self.scene)["things"] if self.scene else []
        return str(things[0]["shape"]) if len(things) == 1 else None

    def _repr_png_(self) -> bytes:
        """How a notebook shows it: the sketch, black on white, beside the real picture."""
        shown = [draw_strokes(self.sketch), *([] if self.image is None else [self.image])]
        height, width = self.sketch.shape
        factor = max(1, PANEL // max(height, width))
        size = (width * factor, height * factor)
        page = Page((size[0] + GAP) * len(shown) + GAP, size[1] + 2 * GAP)
        for number, picture in enumerate(shown):
            place = (GAP + number * (size[0] + GAP), GAP)
            page.place_panel(picture, place, size, sharp=True, frame=FRAME)
        return encode_png(page.pixels)


def name_picture(item_id: str, index: int) -> str:
    """The file that holds an item's sample `index`, wherever pictures are kept."""
    return f"{item_id}-{index}.png"


class Suite(Sequence[Item]):
    """A frozen sequence of items, read from its folder.

    Args:
        folder: holds `suite.yaml` and `items.parquet`.

    Raises:
        LepbenchError: a file is missing or the items are not those the definition names.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.definition = load_config(folder / DEFINITION, SuiteDefinition)
        path = folder / ITEMS
        if not path.is_file():
            raise LepbenchError(f"suite {self.definition.name!r} has no {path}", "reinstall lepbench")
        if sha256_file(path) != self.definition.items_sha256:
            raise LepbenchError(f"{path} is not the list that {DEFINITION} names", "restore both files")

    @property
    def name(self) -> str:
        return self.definition.name

    @cached_property
    def sha256(self) -> str:
        """Hash of the definition, and through `items_sha256` of every item."""
        return sha256_bytes((self.folder / DEFINITION).read_bytes())

    @cached_property
    def _all(self) -> tuple[Item, ...]:
        rows = pq.read_table(self.folder / ITEMS, schema=SCHEMA).to_pylist()
        return tuple(_item(row) for row in rows)

    def __len__(self) -> int:
        return self.definition.items

    @overload
    def __getitem__(self, index: int | str) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Item]: ...
    def __getitem__(self, index: int | str | slice) -> Item | Sequence[Item]:
        """An item by its number or its `item_id`, or several by a slice of numbers.

        Raises:
            IndexError: there are not so many.
            LepbenchError: no item has that id; the message suggests the nearest.
        """
        if isinstance(index, slice):
            return self._all[index]
        if not isinstance(index, str):
            if not -len(self) <= index < len(self):
                raise IndexError(f"item {index} of {len(self)} in suite {self.name!r}")
            return self._all[index]
        if index not in self._positions:
            close = difflib.get_close_matches(index, self._positions, n=1)
            fix = f"did you mean {close[0]!r}?" if close else "to_frame() lists them"
            raise LepbenchError(f"suite {self.name!r} has no item {index!r}", fix)
        return self._all[self._positions[index]]

    def __contains__(self, value: object) -> bool:
        """Whether it has an item, or one of that `item_id`."""
        if not isinstance(value, Item):
            return value in self._positions
        own = self._positions.get(value.item_id)
        if own is None:
            return False
        return self._all[own].prompt == value.prompt and np.array_equal(self._all[own].sketch, value.sketch)

    def __repr__(self) -> str:
        return f"Suite({self.name!r}, {len(self)} items, {self.definition.size} px)"

    def to_frame(self) -> pd.DataFrame:
        """What is known of the items as a table: a line an item, by `item_id`; pictures are left out."""
        lines = {
            item.item_id: {
                "prompt": item.prompt,
                "label": item.label,
                "stroke_pixels": int(item.sketch.sum()),
                "has_picture": item.image is not None,
            }
            for item in self
        }
        return pd.DataFrame.from_dict(lines, orient="index").rename_axis("item_id")

    def items(self, limit: int | None = None) -> Sequence[Item]:
        """The first `limit` items, or the default number of them.

        Raises:
            LepbenchError: `limit` is below 1 or more than there are.
        """
        limit = self.definition.default_items if limit is None else limit
        if not 1 <= limit <= len(self._all):
            raise LepbenchError(
                f"{self.name!r} holds {len(self._all)} items, not {limit}",
                f"give a limit of 1 to {len(self._all)}",
            )
        return self._all[:limit]

    def seed(self, item: Item, index: int) -> int:
        """Seed of the noise of an item's sample `index`, in [0, 2^63)."""
        return derive_seed(self.name, item.item_id, index)

    def successor(self, item: Item) -> Item:
        """The next item of the whole list, cyclic, with another prompt: the wrong sketch and wrong caption.

        It does not depend on how many items an evaluation takes.
        """
        start = self._positions[item.item_id]
        following = self._all[start + 1 :] + self._all[:start]
        return next((other for other in following if other.prompt != item.prompt), item)

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {item.item_id: position for position, item in enumerate(self._all)}


def load_suite(name: str | Path) -> Suite:
    """A suite that ships or that a plug-in adds, by name, or one in a folder, by path.

    Raises:
        LepbenchError: there is none of that name; the message suggests the nearest.
    """
    if (Path(name) / DEFINITION).is_file():
        return Suite(Path(name))
    if (SUITES / name / DEFINITION).is_file():
        return Suite(SUITES / name)
    if str(name) in FOLDERS:
        suite = Suite(Path(FOLDERS.get(str(name))))
        if suite.name != str(name):
            raise LepbenchError(
                f"suite {str(name)!r} of a plug-in is called {suite.name!r} in {suite.folder / DEFINITION}",
                "register it by that name",
            )
        return suite
    raise LepbenchError(f"unknown suite {str(name)!r}", suggest_entry(str(name), list_suites()))


def list_suites() -> list[str]:
    """Names of the suites that ship, then of those that plug-ins registered."""
    return [*list_shipped(), *FOLDERS]


def list_shipped() -> list[str]:
    """Names of the suites that ship."""
    return sorted(path.parent.name for path in SUITES.glob(f"*/{DEFINITION}"))


def _item(row: dict[str, Any]) -> Item:
    sketch = read_pixels(row["sketch"])
    known = {key: read_pixels(row[key]) if row[key] else None for key in ("image", "contour", "mask")}
    strokes = read_pixels(row["strokes"]) if row["strokes"] else np.zeros_like(sketch, np.uint8)
    return Item(
        item_id=row["item_id"],
        prompt=row["prompt"],
        sketch=sketch,
        scene=row["scene"] or "",
        strokes=strokes,
        **known,
    )
