"""Attributes of the things in a picture: which of them are as they were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lepbench.errors import LepbenchError

PLAIN = "plain"
"""The texture of a thing without a pattern."""
DIRECTIONS = {"left of": (-1, 0), "right of": (1, 0), "above": (0, -1), "below": (0, 1)}
"""Where the first thing lies as seen from the second: signs of x to the right and y down."""


class Look(NamedTuple):
    """A thing as it is asked for or seen.

    Attributes:
        shape, colour, texture: what it is called.
        background: what it stands on, as a whole picture has it.
        x, y: its middle in sides of the picture, x to the right and y down.
    """

    shape: str
    colour: str
    texture: str
    background: str
    x: float = 0.0
    y: float = 0.0


class AttributeScores(NamedTuple):
    """Of one picture, in [0, 1]; None where nothing was asked for.

    Attributes:
        colour, texture: share of the things that have theirs.
        pattern: share of the things with a pattern that have theirs.
        background: whether it is the one.
        relation: whether things of both shapes are there, the first on its side of the second.
    """

    colour: float
    texture: float
    pattern: float | None
    background: float
    relation: float | None


def score_attributes(
    seen: Sequence[Look], asked: Sequence[Look], relation: str | None = None
) -> AttributeScores:
    """How many of the attributes that were asked for a picture has.

    Things are paired with those seen so that most of their shapes agree, then most colours, then textures.
    One that is not seen has none of its attributes.

    Args:
        seen: of a picture.
        asked: of its caption, one or more; their places are not read.
        relation: a name in `DIRECTIONS`, of the first thing asked for to the second.

    Raises:
        LepbenchError: nothing is asked for, or the relation is unknown or between fewer than two things.
    """
    if not asked or (relation is not None and (len(asked) < 2 or relation not in DIRECTIONS)):
        raise LepbenchError(
            f"{len(asked)} things in relation {relation!r} cannot be scored",
            f"give one thing or more, and of two a relation: {', '.join(DIRECTIONS)}",
        )
    pairs = list(zip(asked, pair_looks(seen, asked), strict=True))
    patterned = [(thing, found) for thing, found in pairs if thing.texture != PLAIN]
    return AttributeScores(
        colour=_share([found is not None and found.colour == thing.colour for thing, found in pairs]),
        texture=_share([found is not None and found.texture == thing.texture for thing, found in pairs]),
        pattern=_share([found is not None and found.texture == thing.texture for thing, found in patterned])
        if patterned
        else None,
        background=float(bool(seen) and seen[0].background == asked[0].background),
        relation=None if relation is None else float(_holds(pairs[0], pairs[1], relation)),
    )


def pair_looks(seen: Sequence[Look], asked: Sequence[Look]) -> list[Look | None]:
    """The thing seen for each that was asked for, one to one; None where there are too few."""
    from scipy.optimize import linear_sum_assignment

    agreement = np.array([[_agree(found, thing) for found in seen] for thing in asked])
    rows, columns = linear_sum_assignment(agreement.reshape(len(asked), len(seen)), maximize=True)
    chosen = dict(zip(rows.tolist(), columns.tolist(), strict=True))
    return [seen[chosen[number]] if number in chosen else None for number in range(len(asked))]


def _agree(found: Look, thing: Look) -> int:
    """Agreement in which a shape outweighs all else, however many things there are to pair."""
    same = (found.shape == thing.shape, found.colour == thing.colour, found.texture == thing.texture)
    return 10_000 * same[0] + 100 * same[1] + same[2]


def _holds(first: tuple[Look, Look | None], second: tuple[Look, Look | None], relation: str) -> bool:
    (wanted, one), (other_wanted, other) = first, second
    if one is None or other is None or (one.shape, other.shape) != (wanted.shape, other_wanted.shape):
        return False
    across, down = DIRECTIONS[relation]
    return across * (one.x - other.x) + down * (one.y - other.y) > 0


def _share(right: Sequence[bool]) -> float:
    return sum(right) / len(right)
