"""Indefinite articles of captions."""

from __future__ import annotations


def choose_article(word: str) -> str:
    """`a` or `an`, by the first letter of the word that follows."""
    return "an" if word[0].lower() in "aeiou" else "a"
