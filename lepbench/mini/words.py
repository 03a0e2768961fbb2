"""The words that backbones trained on captions of a small grammar know."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lepbench.errors import LepbenchError
from lepbench.registry import suggest_name
from lepbench.sketchworld import list_phrases

PHRASES = {"mini@1": list_phrases, "mini-live@1": list_phrases}
"""Backbone -> the phrases, with their kinds, that its training captions were made of."""
SHOWN = 5
"""Unknown words that a note names at most."""


def list_known_phrases(backbone: str) -> list[tuple[str, str]]:
    """The phrases of a backbone's training captions, with their kinds.

    Raises:
        LepbenchError: they are not known for this backbone.
    """
    if backbone not in PHRASES:
        raise LepbenchError(
            f"which words {backbone!r} was trained on is not known", suggest_name(backbone, PHRASES)
        )
    return PHRASES[backbone]()


def find_unknown_words(backbone: str, prompts: Iterable[str]) -> list[str]:
    """Words of prompts that no training caption had, in lower case; none where captions are not known."""
    if backbone not in PHRASES:
        return []
    known = {word for phrase, _ in PHRASES[backbone]() for word in split_words(phrase)} | {"a", "an"}
    return [word for word in dict.fromkeys(split_words(" ".join(prompts))) if word not in known]


def describe_unknown_words(backbone: str, prompts: Iterable[str]) -> list[str]:
    """A note on the unknown words of prompts, or none."""
    unknown = find_unknown_words(backbone, prompts)
    if not unknown:
        return []
    more = f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
    named = f"{', '.join(unknown[:SHOWN])}{more}"
    return [
        f"{backbone} was trained without these words: {named}; 'lepbench list words' shows those it knows"
    ]


def split_words(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation."""
    return re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text.lower())
