"""Items of a suite, read from their Parquet file one by one, so that a suite of any size takes no memory."""

from __future__ import annotations

import bisect
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lepbench.errors import LepbenchError
from lepbench.files import sha256_bytes
from lepbench.images import Pixels, encode_png, read_pixels
from lepbench.panels import Page, draw_strokes
from lepbench.parquet import check_types, read_bounded, read_schema, report_faults, require_values
from lepbench.suites.item_checks import AGAIN, NEEDED, check_maps, check_names
from lepbench.suites.scenes import find_label

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
        ("label", pa.string()),
        ("negative_prompt", pa.string()),
        ("level", pa.string()),
        ("licence", pa.string()),
        ("original", pa.string()),
        ("whole", pa.binary()),
        ("stroke", pa.int32()),
        ("weight", pa.float64()),
        ("weighted", pa.binary()),
        ("prompt_label", pa.string()),
        ("given", pa.binary()),
    ]
)
KEPT = 32
"""Items that stay decoded: a batch and the items that its samples are confused with."""
FEW = 64
"""Items that are looked at together."""
PANEL = 192
"""Side of a picture in a notebook, px, or as near as a whole factor comes."""
GAP = 8
"""Between pictures in a notebook, px."""
FRAME = (210, 210, 210)
"""Colour around them."""


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
        label: the class of the item's thing; None where there are several, or the corpus has no classes.
        negative_prompt: what the picture must not show; None where the model's own settings decide.
        level: of abstraction, detail or the like, as the corpus calls it; None where it has none.
        licence: of sketch and picture, where it is another than the suite's.
        original: the item that it is a variant of, in another suite; None where it is none. `level` then says
            which variant it is.
        whole: numbered strokes of the sketch that this one is a part of, as `strokes`; None where it is none.
        stroke: number of the stroke with a weight of its own; None where all matter the same.
        weight: how much that stroke matters, from 0 up; any other matters 1.
        weighted: where that weight holds, bool [H, W]: around the stroke.
        given: the sketch as a method gets it, bool [H, W], where it is another than the one that pictures are
            compared with; see `input`.
        prompt_label: the class that the prompt names, where it need not be that of the sketch; else None.
    """

    item_id: str
    prompt: str
    image: Pixels | None = field(repr=False)
    sketch: NDArray[np.bool_] = field(repr=False)
    contour: NDArray[np.bool_] | None = field(repr=False)
    mask: NDArray[np.bool_] | None = field(repr=False)
    scene: str = field(repr=False)
    strokes: NDArray[np.uint8] | NDArray[np.uint16] = field(repr=False)
    label: str | None = field(default=None, repr=False)
    negative_prompt: str | None = field(default=None, repr=False)
    level: str | None = field(default=None, repr=False)
    licence: str | None = field(default=None, repr=False)
    original: str | None = field(default=None, repr=False)
    whole: NDArray[np.uint8] | NDArray[np.uint16] | None = field(default=None, repr=False)
    stroke: int | None = field(default=None, repr=False)
    weight: float | None = field(default=None, repr=False)
    weighted: NDArray[np.bool_] | None = field(default=None, repr=False)
    prompt_label: str | None = field(default=None, repr=False)
    given: NDArray[np.bool_] | None = field(default=None, repr=False)

    @property
    def input(self) -> NDArray[np.bool_]:
        """The sketch that a method gets, bool [H, W]: `sketch`, unless another is `given`."""
        return self.sketch if self.given is None else self.given

    @property
    def weights(self) -> NDArray[np.float32] | None:
        """How much the sketch matters at each pixel, float32 [H, W]; None where it is the same everywhere."""
        if self.weight is None or self.weighted is None:
            return None
        return np.where(self.weighted, self.weight, 1.0).astype(np.float32)

    def _repr_png_(self) -> bytes:
        """How a notebook shows it: the sketch, black on white, beside the real picture."""
        shown = [draw_strokes(self.input), *([] if self.image is None else [self.image])]
        height, width = self.sketch.shape
        factor = max(1, PANEL // max(height, width))
        size = (width * factor, height * factor)
        page = Page((size[0] + GAP) * len(shown) + GAP, size[1] + 2 * GAP)
        for number, picture in enumerate(shown):
            place = (GAP + number * (size[0] + GAP), GAP)
            page.place_panel(picture, place, size, sharp=True, frame=FRAME)
        return encode_png(page.pixels)


class ItemFile:
    """The items in a Parquet file of `SCHEMA`: names and prompts at once, the rest by row group.

    Whatever is read of it is checked then: a name is one of a file, a picture can be decoded.

    Raises:
        LepbenchError: the file is none, or its columns are others.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        schema, self.count = read_schema(path, AGAIN)
        check_types(path, schema, SCHEMA, needed=NEEDED, fix=AGAIN)
        self._decoded: OrderedDict[int, Item] = OrderedDict()
        self._group: tuple[int, list[dict[str, Any]]] = (-1, [])

    @cached_property
    def ids(self) -> list[str]:
        """The `item_id` of every item."""
        return self._names["item_id"]

    @cached_property
    def prompts(self) -> list[str]:
        """The prompt of every item."""
        return self._names["prompt"]

    def read_column(self, name: str) -> list[Any]:
        """A column of every item, read anew; of None where no item fills it."""
        if name not in read_schema(self.path, AGAIN)[0].names:
            return [None] * len(self.ids)
        with report_faults(self.path, AGAIN):
            values: list[Any] = read_bounded(self.path, [name], fix=AGAIN)[name].to_pylist()
        return values

    def read_batches(self, columns: Sequence[str]) -> Iterator[dict[str, list[Any]]]:
        """Some columns of all items, a few items at a time; of None where no item fills them."""
        with report_faults(self.path, AGAIN), pq.ParquetFile(self.path) as file:
            there = [name for name in columns if name in file.schema_arrow.names]
            for batch in file.iter_batches(FEW, columns=there):
                require_values(self.path, batch, [name for name in NEEDED if name in there], AGAIN)
                yield {name: [None] * len(batch) for name in columns} | batch.to_pydict()

    @cached_property
    def sketch_hashes(self) -> list[str]:
        """The hash of every item's sketch, by which equal ones are known."""
        batches = self.read_batches(("sketch",))
        return [sha256_bytes(sketch) for batch in batches for sketch in batch["sketch"]]

    @cached_property
    def positions(self) -> dict[str, int]:
        """Where each item is, by its `item_id`."""
        return {item_id: position for position, item_id in enumerate(self.ids)}

    @cached_property
    def labels(self) -> list[str | None]:
        """The class of every item; None where it has none."""
        pairs = zip(self.read_column("label"), self.read_column("scene"), strict=True)
        return [label or find_label(scene or "") for label, scene in pairs]

    @cached_property
    def originals(self) -> list[str | None]:
        """The item that each is a variant of; None where it is none."""
        return self.read_column("original")

    @cached_property
    def levels(self) -> list[str | None]:
        """The level of every item; None where it has none."""
        return self.read_column("level")

    def read(self, position: int) -> Item:
        """The item at a position from 0."""
        if position not in self._decoded:
            self._decoded[position] = self._decode(position)
        self._decoded.move_to_end(position)
        if len(self._decoded) > KEPT:
            self._decoded.popitem(last=False)
        return self._decoded[position]

    @cached_property
    def _names(self) -> dict[str, list[str]]:
        table = read_bounded(self.path, ["item_id", "prompt"], fix=AGAIN)
        require_values(self.path, table, table.column_names, AGAIN)
        with report_faults(self.path, AGAIN):
            names: dict[str, list[str]] = table.to_pydict()
        check_names(self.path, names["item_id"])
        return names

    def _decode(self, position: int) -> Item:
        row = self.read_row(position)
        try:
            return make_item(row)
        except (LepbenchError, ValueError) as error:
            raise LepbenchError(f"{self.path}, item {row['item_id']!r}: {error}", AGAIN) from error

    @cached_property
    def _ends(self) -> list[int]:
        """The position after the last item of each row group."""
        with report_faults(self.path, AGAIN):
            about = pq.read_metadata(self.path)
        return list(accumulate(about.row_group(group).num_rows for group in range(about.num_row_groups)))

    def read_row(self, position: int) -> dict[str, Any]:
        """The columns of the item at a position from 0, pictures encoded."""
        group = bisect.bisect_right(self._ends, position)
        if self._group[0] != group:
            with report_faults(self.path, AGAIN):
                self._group = (group, read_bounded(self.path, groups=[group], fix=AGAIN).to_pylist())
        return self._group[1][position - (self._ends[group - 1] if group else 0)]


class Items(Sequence[Item]):
    """Some items of a file, each read when it is asked for.

    Attributes:
        file: holds them.
        positions: where they are in it.
    """

    def __init__(self, file: ItemFile, positions: range) -> None:
        self.file = file
        self.positions = positions

    @property
    def ids(self) -> list[str]:
        """Their `item_id`."""
        return [self.file.ids[position] for position in self.positions]

    @property
    def prompts(self) -> list[str]:
        """Their prompts."""
        return [self.file.prompts[position] for position in self.positions]

    @property
    def negative_prompts(self) -> list[str | None]:
        """Their negative prompts, None of those without one."""
        every = self.file.read_column("negative_prompt")
        return [every[position] for position in self.positions]

    def __len__(self) -> int:
        return len(self.positions)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> Items: ...
    def __getitem__(self, index: int | slice) -> Item | Items:
        if isinstance(index, slice):
            return Items(self.file, self.positions[index])
        return self.file.read(self.positions[index])


def make_item(row: dict[str, Any]) -> Item:
    """A row of `SCHEMA`, columns that no row fills left out, as an item.

    Raises:
        LepbenchError: a picture cannot be decoded, or the scene not be read.
        ValueError: there is no sketch, or a picture is of another kind or size than it.
    """
    if not row.get("sketch"):
        raise ValueError("it has no sketch")
    sketch = read_pixels(row["sketch"])
    maps = ("image", "contour", "mask", "whole", "weighted", "given")
    known = {key: read_pixels(row[key]) if row.get(key) else None for key in maps}
    strokes = read_pixels(row["strokes"]) if row.get("strokes") else np.zeros_like(sketch, np.uint8)
    scene = row.get("scene") or ""
    check_maps({"sketch": sketch, "strokes": strokes, **known})
    return Item(
        item_id=row["item_id"],
        prompt=row["prompt"],
        sketch=sketch,
        scene=scene,
        strokes=strokes,
        label=row.get("label") or find_label(scene),
        negative_prompt=row.get("negative_prompt"),
        level=row.get("level"),
        licence=row.get("licence"),
        original=row.get("original"),
        stroke=row.get("stroke"),
        weight=row.get("weight"),
        prompt_label=row.get("prompt_label"),
        **known,
    )
