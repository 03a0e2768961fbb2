"""Prompts and negative prompts as a user gives them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lepbench.errors import LepbenchError


def read_prompts(prompt: str | Sequence[str]) -> list[str]:
    """The prompts of one text or several.

    Raises:
        LepbenchError: there is none, or one is no text.
    """
    texts = list(prompt) if isinstance(prompt, Iterable) and not isinstance(prompt, str) else [prompt]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise LepbenchError(f"{prompt!r} is no prompt", "give a text, or a list of texts")
    return texts


def read_negatives(given: str | Sequence[str], count: int) -> list[str]:
    """One negative prompt for each of `count` prompts: one text stands for all of them.

    Raises:
        LepbenchError: there is not one text a prompt, or one is no text.
    """
    texts = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given] * count
    if not all(isinstance(text, str) for text in texts):
        raise LepbenchError(f"{given!r} is no negative prompt", "give one text, or one a prompt")
    if len(texts) != count:
        raise LepbenchError(
            f"{len(texts)} negative prompts for {count} prompts", "give one text, or one a prompt"
        )
    return texts


def repeat_texts(texts: Sequence[str], each: int) -> list[str]:
    """Every text repeated `each` times."""
    return [text for text in texts for _ in range(each)]
