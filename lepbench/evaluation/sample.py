"""A sample: its item, the rival item for the wrong sketch, and its seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lepbench.methods import Request
from lepbench.suites import Item, Suite, name_picture

OK = "ok"
FAILED = "failed"


@dataclass(frozen=True)
class Sample:
    """One image to be generated.

    Attributes:
        item: its item.
        rival: the item whose sketch and caption are the wrong ones.
        index: which of the item's samples this is, from 0.
        seed: of its noise.
    """

    item: Item
    rival: Item
    index: int
    seed: int

    @property
    def request(self) -> Request:
        """The request for a method."""
        name = name_picture(self.item.item_id, self.index)
        return Request(name, self.item.prompt, self.item.sketch, self.seed)


Batch = Sequence[Sample]


def make_batches(suite: Suite, items: Sequence[Item], per_item: int, size: int) -> list[Batch]:
    """Samples in fixed batches of `size`: all items' sample 0 in suite order, then all items' sample 1...

    So more samples per item do not change the first ones by a bit.
    """
    batches: list[Batch] = []
    for index in range(per_item):
        row = [Sample(i, suite.successor(i), index, suite.seed(i, index)) for i in items]
        batches += [row[start : start + size] for start in range(0, len(row), size)]
    return batches
