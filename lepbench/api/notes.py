"""Notes on a request: what a backbone was not trained for, or does not read."""

from __future__ import annotations

from collections.abc import Sequence

from lepbench.backbones import Backbone
from lepbench.guidance.notes import describe_cut
from lepbench.guidance.picture_size import describe_far_size
from lepbench.mini.words import describe_unknown_words


def list_request_notes(
    backbone: Backbone, prompts: Sequence[str], size: tuple[int, int], negatives: Sequence[str] = ()
) -> list[str]:
    """Lines for words and a size (height, width), px, that a backbone was not trained on, and cut prompts."""
    return [
        *describe_unknown_words(backbone.name, [*prompts, *negatives]),
        *describe_far_size(backbone, size),
        *describe_cut(backbone, prompts),
        *describe_cut(backbone, negatives, "negative prompt"),
    ]
