"""Which pictures are kept from training: a set of some subjects, and some subjects altogether."""

from __future__ import annotations

from typing import Literal, get_args

from lepbench.emoji.sets import SETS
from lepbench.seeds import derive_seed
from lepbench.sketches.emoji_names import find_subject, load_alike

EmojiSplit = Literal["train", "pairs", "subjects"]
"""`pairs` holds new combinations of a known subject and a known style, `subjects` what no set showed."""
SPLITS: tuple[EmojiSplit, ...] = get_args(EmojiSplit)
SUBJECTS = 0.05
"""Share of subjects that are held out altogether."""
PAIRS = 0.25
"""Share of subjects one set of which is held out."""


def find_split(name: str, style: str) -> EmojiSplit:
    """The split of a subject's picture in a set.

    Variants of a subject, and what is drawn nearly like it, share one: a black cat is held out with the cat.
    """
    subject = find_subject(name)
    key = load_alike().get(subject, subject)
    drawn = derive_seed("emoji split", key) / 2**63
    if drawn < SUBJECTS:
        return "subjects"
    withheld = list(SETS)[derive_seed("emoji set", key) % len(SETS)]
    return "pairs" if drawn < SUBJECTS + PAIRS and style == withheld else "train"
