"""Names of emoji: what a caption says, and which subject it is, whatever its skin tone, gender or colour.

Names are those of Unicode's CLDR, in the short form of the package `emoji`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from lepbench.seeds import derive_seed

VARIATION = 0xFE0F
"""The code point that asks for a picture instead of a sign; files and names have it or not."""
REGIONAL = range(0x1F1E6, 0x1F200)
"""Letters of which two are the flag of a country."""
SUBDIVISION = 0xE0067
"""The tag that begins the flags of England, Scotland and Wales."""
TONE = r"(?:medium-light|medium-dark|light|medium|dark) skin tone"
MODIFIER = re.compile(rf" ({TONE}|red hair|curly hair|white hair|blond hair|bald|beard)(?= |$)")
MEMBERS = re.compile(r"(family|kiss|couple with heart)((?: (?:man|woman|adult|person|boy|girl|child))+)")
WORD = re.compile(r"[^\s,-]+")
GROUPS = (
    (re.compile(r"flag of .*"), "flag"),
    (re.compile(r".*(o'clock|-thirty)"), "clock face"),
    (re.compile(r"keycap .*"), "keycap"),
    (re.compile(r"globe showing .*"), "globe"),
    (re.compile(r".*\bmoon( face)?"), "moon"),
    (re.compile(r"prince|princess|person with crown"), "royalty"),
)
"""Names of one subject that differ in more than `PASSED_OVER`."""
GENDERED = ("man", "woman", "men", "women", "boy", "girl")
PEOPLE = (*GENDERED, "person", "people", "adult", "child", "and")
COLOURS = (
    "red", "orange", "yellow", "green", "blue", "purple", "brown", "black", "white", "grey", "pink", "light",
    "dark",
)  # fmt: skip
DIRECTIONS = (
    "left", "right", "up", "down", "upwards", "downwards", "leftwards", "rightwards", "top", "bottom",
    "facing",
)  # fmt: skip
PASSED_OVER = frozenset((*PEOPLE, *COLOURS, *DIRECTIONS))
"""Words that tell variants of one subject apart."""
SAME = {
    "merman": "merperson",
    "mermaid": "merperson",
    "santa": "mx",
    "mrs.": "mx",
    "old": "older",
    "men's": "women's",
}
"""Words that tell the gender of a subject, and the one that stands for all."""
ALIKE = Path(__file__).with_name("openmoji_alike.txt")


class EmojiName(NamedTuple):
    """What is said of an emoji, in small letters.

    Attributes:
        caption: the name with the word "emoji", then the members of a family or couple, skin tones and hair.
        label: the name without these.
        subject: the same for all variants of one emoji.
    """

    caption: str
    label: str
    subject: str


def read_code_points(stem: str) -> tuple[int, ...]:
    """The code points in a file's name such as `1F468-200D-1F373`, without variation selectors.

    Raises:
        ValueError: it is no such name.
    """
    return tuple(point for part in stem.split("-") if (point := int(part, 16)) != VARIATION)


@cache
def load_names() -> Mapping[tuple[int, ...], str]:
    """The English name of every emoji, by its code points without variation selectors."""
    import emoji

    found = ((tuple(map(ord, text)), about["en"]) for text, about in emoji.EMOJI_DATA.items())
    return {
        tuple(point for point in points if point != VARIATION): name.strip(":").replace("_", " ")
        for points, name in found
    }


def describe_emoji(points: tuple[int, ...]) -> EmojiName | None:
    """The name of an emoji; None for what Unicode has no emoji of."""
    name = load_names().get(points)
    if name is None:
        return None
    flag = points[0] in REGIONAL or SUBDIVISION in points
    words = f"{'flag of ' * flag}{name.lower().replace('’', chr(39))}"
    label = MODIFIER.sub("", words)
    members = MEMBERS.fullmatch(label)
    details = [*(members[2].split() if members else ()), *MODIFIER.findall(words)]
    label = members[1] if members else label
    return EmojiName(", ".join((f"{label} emoji", *details)), label, find_subject(label))


def find_subject(label: str) -> str:
    """The subject of an emoji's name: words for people, colours and directions are passed over."""
    for pattern, subject in GROUPS:
        if pattern.fullmatch(label):
            return subject
    words = [SAME.get(word, word) for word in WORD.findall(label)]
    return " ".join(word for word in words if word not in PASSED_OVER) or (
        "person" if PASSED_OVER.intersection(words) else label
    )


@cache
def load_alike() -> Mapping[str, str]:
    """The subjects that are drawn nearly like others, by which of them stands for all.

    They were measured by `benchmarks/openmoji_alike.py`; each line of the file is a group.
    """
    lines = (line.split("; ") for line in ALIKE.read_text(encoding="utf-8").splitlines())
    return {subject: group[0] for group in lines for subject in group}


def is_held_out(subject: str, test_share: float) -> bool:
    """Whether a subject, and what is drawn nearly like it, is on the test side: the same for all versions."""
    return derive_seed("openmoji", load_alike().get(subject, subject)) < test_share * 2**63


def rank_variant(points: tuple[int, ...], label: str) -> tuple[bool, int, tuple[int, ...]]:
    """What the base form of a subject is the smallest by: no gender, few code points, early ones."""
    gendered = any(word in GENDERED or word in SAME for word in WORD.findall(label))
    return gendered, len(points), points
