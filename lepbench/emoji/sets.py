"""The sets of emoji whose pictures may be passed on, and whom they are by."""

from __future__ import annotations

from typing import Literal, NamedTuple

EmojiStyle = Literal["noto", "twemoji", "fluent", "openmoji"]


class EmojiSet(NamedTuple):
    """The pictures of one team of designers.

    Attributes:
        package: of npm, the folder of it below `node_modules`.
        licence: its SPDX identifier.
        attribution: what has to be said where a picture is shown.
    """

    package: str
    licence: str
    attribution: str


SETS: dict[str, EmojiSet] = {
    "noto": EmojiSet("@iconify-json/noto", "Apache-2.0", "Noto Emoji, Google Inc."),
    "twemoji": EmojiSet("@iconify-json/twemoji", "CC-BY-4.0", "Twemoji, Twitter Inc. and other contributors"),
    "fluent": EmojiSet("@iconify-json/fluent-emoji-flat", "MIT", "Fluent Emoji, Microsoft Corporation"),
    "openmoji": EmojiSet("openmoji", "CC-BY-SA-4.0", "OpenMoji, the open-source emoji and icon project"),
}
"""By the word that captions call their style."""
