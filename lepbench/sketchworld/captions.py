"""Captions from a small grammar: every visible attribute can be said, in several ways."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from lepbench.articles import choose_article
from lepbench.sketchworld.palette import BACKGROUNDS, COLOURS
from lepbench.sketchworld.shapes import SHAPES
from lepbench.sketchworld.thing import Relation, Thing

OPENINGS = ("{}", "a picture of {}", "there is {}", "an image of {}", "a drawing of {}", "we see {}")
PATTERNS = {"striped": ("striped", "with stripes"), "dotted": ("dotted", "with dots")}
PHRASES: dict[Relation, str] = {
    "left of": "to the left of",
    "right of": "to the right of",
    "above": "above",
    "below": "below",
}
OPPOSITE: dict[Relation, Relation] = {
    "left of": "right of",
    "right of": "left of",
    "above": "below",
    "below": "above",
}


def caption_of(
    rng: np.random.Generator, things: Sequence[Thing], background: str, relation: Relation | None
) -> str:
    """One sentence for a scene, drawn from the grammar's paraphrases.

    Args:
        rng: consumed the same way whatever the scene holds of texture and relation.
        things: one thing, or two with a `relation` of the first to the second.
    """
    swap, after = rng.random() < 0.5, rng.random() < 0.25
    opening = OPENINGS[rng.integers(len(OPENINGS)) if rng.random() < 0.5 else 0]
    nouns = [noun_of(thing, rng.random() < 0.5) for thing in things]
    if relation is None:
        subject = nouns[0]
    else:
        order = OPPOSITE[relation] if swap else relation
        first, second = reversed(nouns) if swap else nouns
        subject = f"{first} {PHRASES[order]} {second}"
    place = BACKGROUNDS[background].phrase
    sentence = opening.format(subject)
    return f"{place}, {sentence}" if after else f"{sentence} {place}"


def noun_of(thing: Thing, before: bool = True) -> str:
    """A noun phrase such as "a striped red fish" or "a red fish with stripes"."""
    if thing.texture == "plain":
        return f"{choose_article(thing.colour)} {thing.colour} {thing.shape}"
    adjective, clause = PATTERNS[thing.texture]
    if before:
        return f"a {adjective} {thing.colour} {thing.shape}"
    return f"{choose_article(thing.colour)} {thing.colour} {thing.shape} {clause}"


def list_phrases() -> list[tuple[str, str]]:
    """Every phrase that captions are made of, with its kind, such as `("on pale sand", "background")`."""
    kinds: dict[str, Iterable[str]] = {
        "shape": SHAPES,
        "colour": COLOURS,
        "texture": [phrase for phrases in PATTERNS.values() for phrase in phrases],
        "background": [background.phrase for background in BACKGROUNDS.values()],
        "relation": PHRASES.values(),
        "opening": [opening.format("").strip() for opening in OPENINGS if opening != "{}"],
    }
    return [(phrase, kind) for kind, phrases in kinds.items() for phrase in phrases]
