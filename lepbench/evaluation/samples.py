"""The samples table: what is drawn for which item from which seed, and all that was counted of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from lepbench.evaluation.protocol import Protocol
from lepbench.methods import Request
from lepbench.suites import Item, Suite, picture_name

OK = "ok"
FAILED = "failed"


@dataclass(frozen=True)
class Sample:
    """One picture to be drawn.

    Attributes:
        item: what is asked for.
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
        """What a method is told of it."""
        name = picture_name(self.item.item_id, self.index)
        return Request(name, self.item.prompt, self.item.sketch, self.seed)


Unit = Sequence[Sample]


def units_of(suite: Suite, items: Sequence[Item], per_item: int, size: int) -> list[Unit]:
    """Samples in fixed batches of `size`: all items' sample 0 in suite order, then all items' sample 1...

    More samples an item therefore leave the first ones bit for bit as they were.
    """
    units: list[Unit] = []
    for index in range(per_item):
        row = [Sample(i, suite.successor(i), index, suite.seed(i, index)) for i in items]
        units += [row[start : start + size] for start in range(0, len(row), size)]
    return units


def edge_columns(tolerances: Sequence[int]) -> list[str]:
    """Names of the columns that hold matched pixels of the sample's edges and of the sketch."""
    return [f"edge_matched_{side}_{t}px" for t in tolerances for side in ("predicted", "target")]


def contour_columns(tolerance: int) -> list[str]:
    """Names of the columns that hold the second detector's matched pixels and those of the contours."""
    return [f"contour_matched_{side}_{tolerance}px" for side in ("predicted", "target")]


def schema_of(protocol: Protocol) -> pa.Schema:
    """Columns of `samples.parquet`; every figure of a record derives from them.

    `row`, `item_id`, `sample_index`, `seed` name the sample; `status` is "ok" or "failed" with a `reason`,
    and all that follows is null where it failed. `png_sha256` is of the stored picture. Counts are pixels: of
    the sample's edges (`predicted`) and of the truth (`target`), in all and with a match within each
    tolerance. Similarities are cosines with the item's caption and with the rival's. `judge_features` are the
    judge's, not normalised.
    """
    counts = [
        *("edge_predicted", "edge_target", *edge_columns(protocol.tolerances)),
        *("contour_predicted", "contour_target", *contour_columns(protocol.contour_tolerance)),
        *("mask_intersection", "mask_union"),
    ]
    return pa.schema(
        [
            ("row", pa.string()),
            ("item_id", pa.string()),
            ("sample_index", pa.int32()),
            ("seed", pa.int64()),
            ("status", pa.string()),
            ("reason", pa.string()),
            ("png_sha256", pa.string()),
            *((name, pa.int32()) for name in counts),
            ("clip_similarity", pa.float32()),
            ("clip_wrong_similarity", pa.float32()),
            ("judge_features", pa.list_(pa.float32())),
        ]
    )


def work_schema_of(protocol: Protocol) -> pa.Schema:
    """`schema_of`, and what a unit keeps beside it while a run goes on: the picture and its seconds."""
    return schema_of(protocol).append(pa.field("png", pa.binary())).append(pa.field("seconds", pa.float64()))
