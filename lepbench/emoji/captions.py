"""What is said of an emoji: its name, the kind of thing it is, and the set in whose style it is drawn."""

from __future__ import annotations

import re

from lepbench.articles import choose_article

KINDS = {
    "animal-amphibian": "amphibian",
    "animal-bird": "bird",
    "animal-bug": "bug",
    "animal-mammal": "mammal",
    "animal-marine": "sea animal",
    "animal-reptile": "reptile",
    "plant-flower": "flower",
    "plant-other": "plant",
    "dishware": "dishes",
    "drink": "drink",
    "food-asian": "food",
    "food-fruit": "fruit",
    "food-prepared": "food",
    "food-sweet": "sweets",
    "food-vegetable": "vegetable",
    "arts-crafts": "craft",
    "award-medal": "award",
    "event": "festivity",
    "game": "game",
    "sport": "sport",
    "book-paper": "paper",
    "clothing": "clothes",
    "computer": "computing",
    "household": "household",
    "light-video": "optics",
    "lock": "locks",
    "mail": "post",
    "medical": "medicine",
    "money": "money",
    "music": "music",
    "musical-instrument": "musical instrument",
    "office": "office",
    "other-object": "object",
    "phone": "telephone",
    "science": "science",
    "sound": "sound",
    "tool": "tool",
    "writing": "writing",
    "hotel": "travel",
    "place-building": "building",
    "place-geographic": "landscape",
    "place-map": "map",
    "place-other": "place",
    "place-religious": "place of worship",
    "sky-weather": "sky",
    "time": "time",
    "transport-air": "aircraft",
    "transport-ground": "vehicle",
    "transport-water": "vessel",
}
"""What captions call OpenMoji's subgroups."""
TEMPLATES = (
    "{thing} in the style of {set}",
    "{thing}, {kind}, in the style of {set}",
    "{thing}, {set} style",
    "{set} {name}",
)
"""The first one makes the caption; training takes all."""
PLURAL = re.compile(r".*[^sui]s")


def write_captions(name: str, kind: str, style: str) -> list[str]:
    """Every caption of a picture, the usual one first.

    Args:
        name: of the subject, in small letters.
        kind: a value of `KINDS`.
        style: a name of `SETS`.
    """
    words = {"name": name, "thing": add_article(name), "kind": kind, "set": style}
    return [template.format(**words) for template in TEMPLATES]


def write_caption(name: str, kind: str, style: str) -> str:
    """The usual caption, such as "a goose in the style of noto"."""
    return write_captions(name, kind, style)[0]


def add_article(name: str) -> str:
    """A name with its article, or without one where it ends as a plural does."""
    if PLURAL.fullmatch(name):
        return name
    return f"{choose_article(name)} {name}"
