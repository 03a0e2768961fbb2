"""A sample: its item, the rival item for the wrong sketch, and its seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from lepbench.methods import Request
from lepbench.suites import Item, Items, Suite, name_picture

OK = "ok"
FAILED = "failed"


@dataclass(frozen=True)
class Sample:
    """One image to be generated. Its items are read from the suite when they are asked for.

    Attributes:
        suite: holds its item.
        position: of the item in the whole suite.
        index: which of the item's samples this is, from 0.
    """

    suite: Suite
    position: int
    index: int

    @property
    def item_id(self) -> str:
        """The item's."""
        return self.suite.item_ids[self.position]

    @property
    def item(self) -> Item:
        """Its item."""
        return self.suite[self.position]

    @cached_property
    def rival_position(self) -> int:
        """Of the item whose sketch and caption are the wrong ones."""
        return self.suite.find_successor(self.position)

    @property
    def rival(self) -> Item:
        """The item whose sketch and caption are the wrong ones."""
        return self.suite[self.rival_position]

    @property
    def seed(self) -> int:
        """Of its noise."""
        return self.suite.seed(self.item_id, self.index)

    @property
    def name(self) -> str:
        """What the file of its image is called."""
        return name_picture(self.item_id, self.index)

    @property
    def request(self) -> Request:
        """The request for a method."""
        item = self.item
        return Request(
            self.name,
            item.prompt,
            item.input,
            self.seed,
            weights=item.weights,
            negative_prompt=item.negative_prompt,
        )


Batch = Sequence[Sample]


def make_batches(suite: Suite, items: Items, per_item: int, size: int) -> list[Batch]:
    """Samples in fixed batches of `size`: all items' sample 0 in suite order, then all items' sample 1...

    So more samples per item do not change the first ones by a bit.
    """
    batches: list[Batch] = []
    for index in range(per_item):
        row = [Sample(suite, position, index) for position in items.positions]
        batches += [row[start : start + size] for start in range(0, len(row), size)]
    return batches
