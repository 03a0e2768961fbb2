"""Rejection of duplicates, of images of excluded sets, and of edge maps with too few or too many edges."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from pydantic import Field

from lepbench.config import Config
from lepbench.data.corpus import Reason
from lepbench.data.excluded import Excluded
from lepbench.data.keys import Keys
from lepbench.data.similar import first_of_kind, near_pairs


class Hygiene(Config):
    """Rejection rules for usable entries.

    Settings: `duplicates`, "keep" all, reject "exact" ones (the same original with the same caption), or
    "near" ones too (another original with a similar hash); `distance`, bits of 64 by which the perceptual
    hashes of near duplicates may differ; `min_edges` and `max_edges`, bounds of the share of an
    image's pixels that lie on an edge; `exclude`, sets whose images are rejected: folders made by
    `build-data`, suites, or folders of pictures.
    """

    duplicates: Literal["keep", "exact", "near"] = "exact"
    distance: int = Field(default=4, ge=0, le=16)
    min_edges: float = Field(default=1e-4, ge=0, le=1)
    max_edges: float = Field(default=0.5, ge=0, le=1)
    exclude: tuple[Path, ...] = ()


class Drop(NamedTuple):
    """A rejected row, by its number in the set, and the reason."""

    row: int
    reason: Reason
    detail: str


def find_drops(keys: Keys, hygiene: Hygiene, excluded: Sequence[Excluded]) -> list[Drop]:
    """The rejected rows, in order.

    A row is compared only with kept rows, and the first of each group is kept: the result for a set
    is unchanged if rejected rows are already removed.
    """
    leaked = _leaked(keys, hygiene.distance, excluded)
    alive = np.array([row for row in range(len(keys.pairs)) if row not in leaked], np.int64)
    found = [*leaked.values()]
    if hygiene.duplicates != "keep":
        again = _repeated(keys, alive)
        found += again
        gone = {drop.row for drop in again}
        alive = np.array([row for row in alive if row not in gone], np.int64)
    if hygiene.duplicates == "near":
        found += _alike(keys, alive, hygiene.distance)
    return sorted(found)


def _leaked(keys: Keys, distance: int, excluded: Sequence[Excluded]) -> dict[int, Drop]:
    found: dict[int, Drop] = {}
    for other in excluded:
        for row in np.flatnonzero(np.isin(keys.originals, other.originals)).tolist():
            found.setdefault(row, Drop(row, Reason.LEAKED, f"the same original as in {other.name}"))
        for row, _ in near_pairs(keys.looks, other.looks, distance):
            found.setdefault(row, Drop(row, Reason.LEAKED, f"looks like one in {other.name}"))
    return found


def _repeated(keys: Keys, alive: np.ndarray) -> list[Drop]:
    _, first, inverse = np.unique(keys.pairs[alive], return_index=True, return_inverse=True)
    earliest = alive[first[inverse]]
    return [
        Drop(int(row), Reason.DUPLICATE, str(keys.ids[int(kept)]))
        for row, kept in zip(alive, earliest, strict=True)
        if row != kept
    ]


def _alike(keys: Keys, alive: np.ndarray, distance: int) -> list[Drop]:
    stands = alive[first_of_kind(keys.looks[alive], distance)] if len(alive) else alive
    # Several captions of one original are several rows, which are not duplicates of each other.
    return [
        Drop(int(row), Reason.NEAR_DUPLICATE, str(keys.ids[int(kept)]))
        for row, kept in zip(alive, stands, strict=True)
        if keys.originals[row] != keys.originals[kept]
    ]
