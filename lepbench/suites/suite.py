"""A suite: a folder with one YAML file of its definition and one Parquet file of its items."""

from __future__ import annotations

import difflib
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, overload

import numpy as np
import pandas as pd

from lepbench.config import load_config
from lepbench.embedded import ASSETS
from lepbench.errors import LepbenchError
from lepbench.files import is_file, is_folder, sha256_bytes
from lepbench.images import read_pixels
from lepbench.registry import Registry, suggest_entry
from lepbench.seeds import derive_seed
from lepbench.suites.definition import DEFINITION, SuiteDefinition
from lepbench.suites.items import Item, ItemFile, Items
from lepbench.verified import hash_large_file

SUITES = ASSETS / "suites"
FOLDERS: Registry[Path] = Registry("suite")
"""Folders of the suites that plug-ins add, by name."""
ITEMS = "items.parquet"


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
        if not is_file(path):
            raise LepbenchError(f"suite {self.definition.name!r} has no {path}", "reinstall lepbench")
        if hash_large_file(path) != self.definition.items_sha256:
            raise LepbenchError(f"{path} is not the list that {DEFINITION} names", "restore both files")
        file = ItemFile(path)
        if file.count != self.definition.items:
            raise LepbenchError(
                f"{path} holds {file.count} items, and {DEFINITION} names {self.definition.items}",
                "restore both files",
            )
        self._all = Items(file, range(file.count))

    def __reduce__(self) -> tuple[type[Suite], tuple[Path]]:
        """Another process reads its folder."""
        return Suite, (self.folder.absolute(),)

    @property
    def name(self) -> str:
        return self.definition.name

    @cached_property
    def sha256(self) -> str:
        """Hash of the definition, and through `items_sha256` of every item."""
        return sha256_bytes((self.folder / DEFINITION).read_bytes())

    @property
    def item_ids(self) -> list[str]:
        """The `item_id` of every item."""
        return self._all.file.ids

    @cached_property
    def classes(self) -> list[str]:
        """Every class that an item has or that its prompt names, sorted."""
        named = self._all.file.read_column("prompt_label")
        return sorted({label for label in (*self._all.file.labels, *named) if label})

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
        positions = self._all.file.positions
        if index not in positions:
            close = difflib.get_close_matches(index, positions, n=1)
            fix = f"did you mean {close[0]!r}?" if close else "to_frame() lists them"
            raise LepbenchError(f"suite {self.name!r} has no item {index!r}", fix)
        return self._all[positions[index]]

    def __contains__(self, value: object) -> bool:
        """Whether it has an item, or one of that `item_id`."""
        positions = self._all.file.positions
        if not isinstance(value, Item):
            return value in positions
        if value.item_id not in positions:
            return False
        own = self._all[positions[value.item_id]]
        return own.prompt == value.prompt and np.array_equal(own.sketch, value.sketch)

    def __repr__(self) -> str:
        return f"Suite({self.name!r}, {len(self)} items, {self.definition.size} px)"

    def to_frame(self) -> pd.DataFrame:
        """What is known of the items as a table: a line an item, by `item_id`; pictures are left out."""
        pixels: list[int] = []
        pictures: list[bool] = []
        for batch in self._all.file.read_batches(("sketch", "image")):
            pixels += [int(read_pixels(sketch).sum()) for sketch in batch["sketch"]]
            pictures += [image is not None for image in batch["image"]]
        columns = {
            "prompt": self._all.prompts,
            "label": self._all.file.labels,
            "stroke_pixels": pixels,
            "has_picture": pictures,
        }
        return pd.DataFrame(columns, index=pd.Index(self.item_ids, name="item_id"))

    def count_labels(self) -> dict[str, int]:
        """The classes with the number of their items, the commonest first."""
        return dict(Counter(label for label in self._all.file.labels if label).most_common())

    @cached_property
    def _ends(self) -> Sequence[int]:
        """The position after each item; of variants, which stand together, after the last of an original."""
        if self.definition.variants_of is None:
            return range(1, len(self) + 1)
        names = [self.find_variant(item_id)[0] for item_id in self.item_ids]
        pairs = enumerate(pairwise([*names, None]), start=1)
        return [end for end, (original, following) in pairs if original != following]

    @property
    def unit(self) -> str:
        """What a limit counts, in the plural."""
        return "items" if self.definition.variants_of is None else "items with all their variants"

    def count_originals(self, items: int) -> int:
        """How many originals the first `items` hold with all their variants; of no variants, `items`."""
        return bisect_right(self._ends, items)

    def items(self, limit: int | None = None) -> Items:
        """The first `limit` items, or the default number of them.

        Args:
            limit: of a suite of variants how many originals, each with all its variants.

        Raises:
            LepbenchError: `limit` is below 1 or more than there are.
        """
        if limit is None:
            return self.take(self.definition.default_items)
        most = len(self._ends)
        if not 1 <= limit <= most:
            raise LepbenchError(
                f"{self.name!r} holds {most} {self.unit}, not {limit}", f"give a limit of 1 to {most}"
            )
        return self._all[: self._ends[limit - 1]]

    def take(self, count: int) -> Items:
        """The first `count` items, every variant counted, as a record counts them.

        Raises:
            LepbenchError: `count` is below 1 or more than there are.
        """
        if not 1 <= count <= len(self):
            raise LepbenchError(
                f"{self.name!r} holds {len(self)} items, not {count}", f"give a number of 1 to {len(self)}"
            )
        return self._all[:count]

    def seed(self, item: Item | str, index: int) -> int:
        """Seed of the noise of an item's sample `index`, in [0, 2^63); the item may be given by its id.

        A variant has that of its original, so that both are drawn from the same noise.
        """
        item_id = item if isinstance(item, str) else item.item_id
        if self.definition.variants_of is None:
            return derive_seed(self.name, item_id, index)
        return derive_seed(self.definition.variants_of, self.find_variant(item_id)[0], index)

    def find_variant(self, item_id: str) -> tuple[str, str | None]:
        """The id of the item that one is a variant of, its own where it is none, and its level."""
        file = self._all.file
        position = file.positions[item_id]
        return file.originals[position] or item_id, file.levels[position]

    def read_row(self, position: int) -> dict[str, Any]:
        """The columns of the item at a position from 0 as they are frozen, pictures encoded."""
        return self._all.file.read_row(position)

    def successor(self, item: Item) -> Item:
        """The next item of the whole list, cyclic, with another prompt: the wrong sketch and wrong caption.

        It does not depend on how many items an evaluation takes.
        """
        return self._all[self.find_successor(self._all.file.positions[item.item_id])]

    def find_successor(self, position: int) -> int:
        """Where the successor of the item at a position is; there itself if all prompts are alike.

        Of several items with one sketch the next with another sketch is taken, if there is one. That of a
        variant is one of another item at the same level.
        """
        prompts, sketches = self._all.file.prompts, self._all.file.sketch_hashes
        following = chain(range(position + 1, len(prompts)), range(position))
        others = (
            other
            for other in following
            if prompts[other] != prompts[position] and self._matches_variant(position, other)
        )
        same = position
        for other in others:
            if sketches[other] != sketches[position]:
                return other
            same = other if same == position else same
        return same

    def _matches_variant(self, position: int, other: int) -> bool:
        """Whether two items are the same variant of two others; true of items that are none."""
        originals, levels = self._all.file.originals, self._all.file.levels
        if originals[position] is None:
            return True
        return originals[other] != originals[position] and levels[other] == levels[position]


def load_suite(name: str | Path) -> Suite:
    """A suite that ships or that a plug-in adds, by name, or one in a folder, by path.

    A name that ships is that suite, whatever folder of the name there is: `./NAME` is the folder, and so is a
    `Path`.

    Raises:
        LepbenchError: there is none of that name; the message suggests the nearest.
    """
    if isinstance(name, Path) and is_file(name / DEFINITION):
        return Suite(name)
    if str(name) in list_shipped():
        return Suite(SUITES / name)
    if str(name) in FOLDERS:
        suite = Suite(Path(FOLDERS.get(str(name))))
        if suite.name != str(name):
            raise LepbenchError(
                f"suite {str(name)!r} of a plug-in is called {suite.name!r} in {suite.folder / DEFINITION}",
                "register it by that name",
            )
        return suite
    if is_file(Path(name) / DEFINITION):
        return Suite(Path(name))
    if is_folder(name) or is_file(name):
        raise LepbenchError(
            f"{name} is no suite: it holds no {DEFINITION}", "make one with 'lepbench suite make'"
        )
    fix = f"{suggest_entry(str(name), list_suites())} (or give a suite's folder)"
    raise LepbenchError(f"unknown suite {str(name)!r}", fix)


def list_suites() -> list[str]:
    """Names of the suites that ship, then of those that plug-ins registered."""
    return [*list_shipped(), *FOLDERS]


def list_shipped() -> list[str]:
    """Names of the suites that ship."""
    return sorted(path.parent.name for path in SUITES.glob(f"*/{DEFINITION}"))
