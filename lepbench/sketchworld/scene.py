"""Scenes, sampled as a pure function of (version, split, index)."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from lepbench.errors import LepbenchError
from lepbench.sketchworld.captions import caption_of
from lepbench.sketchworld.palette import COLOURS, FITTING, TEXTURES
from lepbench.sketchworld.shapes import SHAPES
from lepbench.sketchworld.thing import Relation, Thing

VERSION = 1
Split = Literal["train", "validation", "test", "compositional"]
SPLITS: tuple[Split, ...] = get_args(Split)
TWO_OBJECT_SHARE = 0.25
TEXTURE_SHARES = (0.5, 0.25, 0.25)
RELATIONS: tuple[Relation, ...] = ("left of", "right of", "above", "below")
PAIRS = [(shape, colour) for shape in SHAPES for colour in COLOURS]
# Every 12th shape x colour pair along a diagonal: each colour and most shapes are touched, none is starved.
HELD_OUT = frozenset(
    (shape, colour)
    for i, shape in enumerate(SHAPES)
    for j, colour in enumerate(COLOURS)
    if (5 * i + j) % 12 == 0
)
ORDINARY = [pair for pair in PAIRS if pair not in HELD_OUT]
COMPOSITIONAL = [pair for pair in PAIRS if pair in HELD_OUT]


@dataclass(frozen=True)
class Scene:
    """One or two things on a background, and a caption.

    `things` are ordered back to front; `relation` speaks of the first thing seen from the second
    ("left of": the first is left of the second) and is None for a single one.
    """

    split: Split
    index: int
    background: str
    things: tuple[Thing, ...]
    relation: Relation | None
    caption: str

    @property
    def id(self) -> str:
        """A name that holds the world's version, the split and the index."""
        return f"sw{VERSION}-{self.split}-{self.index:08d}"


def random(split: str, index: int, purpose: str) -> np.random.Generator:
    """The generator of one scene for one purpose; other purposes never disturb it."""
    digest = hashlib.sha256(f"sketchworld/{VERSION}/{split}/{index}/{purpose}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))


def scene(split: str, index: int, things: int | None = None) -> Scene:
    """The scene at `index` of a split.

    Splits are separate streams: no index of one is ever drawn in another. In `compositional` every thing has
    a shape x colour pair of `HELD_OUT`; the other splits hold none of these.

    Args:
        split: one of `SPLITS`.
        index: 0 or more.
        things: 1 or 2 for scenes of that many things only (another stream); None for the usual mixture.

    Raises:
        LepbenchError: unknown split or negative index.
    """
    known = next((name for name in SPLITS if name == split), None)
    if known is None or index < 0:
        raise LepbenchError(f"no scene {index} in split {split!r}", f"splits are {', '.join(SPLITS)}")
    rng = random(split, index, "scene" if things is None else f"scene of {things}")
    two = rng.random() < TWO_OBJECT_SHARE if things is None else things == 2
    pairs = COMPOSITIONAL if split == "compositional" else ORDINARY
    background, looks = _looks(rng, pairs, 2 if two else 1)
    relation = RELATIONS[rng.integers(len(RELATIONS))] if two else None
    placed = tuple(_place(rng, look, relation, i) for i, look in enumerate(looks))
    return Scene(
        known,
        index,
        background,
        things=placed,
        relation=relation,
        caption=caption_of(rng, placed, background, relation),
    )


Look = tuple[str, str, str]


def _looks(rng: np.random.Generator, pairs: list[tuple[str, str]], n: int) -> tuple[str, list[Look]]:
    """A background, and `n` looks (shape, colour, texture) that stand out from it, of different shapes."""
    shape, colour = pairs[rng.integers(len(pairs))]
    background = FITTING[colour][rng.integers(len(FITTING[colour]))]
    looks = [(shape, colour, _texture(rng))]
    if n == 2:
        others = [(s, c) for s, c in pairs if s != shape and background in FITTING[c]]
        shape, colour = others[rng.integers(len(others))]
        looks.append((shape, colour, _texture(rng)))
    return background, looks


def _texture(rng: np.random.Generator) -> str:
    return TEXTURES[rng.choice(len(TEXTURES), p=TEXTURE_SHARES)]


def _place(rng: np.random.Generator, look: Look, relation: Relation | None, order: int) -> Thing:
    """Give a look its size, place and tilt; coordinates are fractions of the picture's side."""
    tilt = float(rng.uniform(-15, 15))
    if relation is None:
        radius = float(rng.uniform(0.27, 0.42))
        room = 0.5 - radius * 0.97 - 0.02
        x, y = 0.5 + rng.uniform(-room, room), 0.5 + rng.uniform(-room, room)
        return Thing(*look, x=float(x), y=float(y), radius=radius, tilt=tilt)
    radius = float(rng.uniform(0.19, 0.225))
    toward = {"left of": math.pi, "right of": 0.0, "above": -math.pi / 2, "below": math.pi / 2}[relation]
    away = 0.25 * (1 if order == 0 else -1)
    x = 0.5 + away * math.cos(toward) + rng.uniform(-0.02, 0.02)
    y = 0.5 + away * math.sin(toward) + rng.uniform(-0.02, 0.02)
    cross = rng.uniform(-0.16, 0.16)
    if relation in ("left of", "right of"):
        y += cross
    else:
        x += cross
    return Thing(*look, x=float(x), y=float(y), radius=radius, tilt=tilt)
