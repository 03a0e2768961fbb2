"""The pictures of a run that the verifier has, or can make: held against those that the run stores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from lepbench.errors import LepbenchError
from lepbench.evaluation.conditions import MODEL, OVERLAY, REAL, UNGUIDED, WRONG_SKETCH, overlay_sketch
from lepbench.evaluation.layout import locate_picture
from lepbench.images import Pixels, open_rgb
from lepbench.suites import Item, Suite

Picture = tuple[str, int]
"""An item and the index of its sample."""
Load = Callable[[str, str, int], Pixels]
"""From a condition, an item and an index to the stored picture, uint8 [H, W, 3]."""


def check_known_pictures(folder: Path, suite: Suite, samples: pa.Table) -> None:
    """Refuse pictures of conditions that follow from the suite, or from other pictures of the run.

    `real` is the suite's own, `overlay` the sketch on `unguided`, and `wrong_sketch` the picture of `model`.

    Args:
        folder: of the run.
        samples: whose pictures have the hashes that they state.

    Raises:
        LepbenchError: one is another picture.
    """

    def load(row: str, item_id: str, index: int) -> Pixels:
        return np.asarray(open_rgb(locate_picture(folder, row, item_id, index)))

    hashes = _read_hashes(samples)
    for row, make, what in (
        (REAL.name, _take_real, "the suite's picture of {item}"),
        (OVERLAY.name, _draw_overlay, "the sketch of {item} on the unguided picture"),
    ):
        for item_id, index in hashes.get(row, {}):
            expected = make(suite[item_id], index, load)
            if expected is None or not np.array_equal(load(row, item_id, index), expected):
                path = locate_picture(folder, row, item_id, index)
                raise LepbenchError(f"{path} is not {what.format(item=item_id)}", "evaluate again")
    for picture, digest in hashes.get(WRONG_SKETCH.name, {}).items():
        if hashes[MODEL.name].get(picture) != digest:
            raise LepbenchError(
                f"{folder} compares another picture with the wrong sketch than the model's of {picture[0]}",
                "evaluate again",
            )


def _read_hashes(samples: pa.Table) -> dict[str, dict[Picture, str]]:
    """SHA-256 of every picture by condition."""
    found: dict[str, dict[Picture, str]] = {}
    columns = (samples[name].to_pylist() for name in ("row", "item_id", "sample_index", "png_sha256"))
    for row, item_id, index, digest in zip(*columns, strict=True):
        found.setdefault(row, {})[item_id, index] = digest
    return found


def _take_real(item: Item, index: int, load: Load) -> Pixels | None:
    return item.image


def _draw_overlay(item: Item, index: int, load: Load) -> Pixels | None:
    return overlay_sketch(load(UNGUIDED.name, item.item_id, index), item.input)
