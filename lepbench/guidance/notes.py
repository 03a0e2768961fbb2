"""What the user of a picture should know of how a backbone made it."""

from __future__ import annotations

from collections.abc import Sequence

from lepbench.backbones.backbone import Backbone

SHOWN = 80
"""Characters of a cut caption that are shown."""


def describe_cut(backbone: Backbone, prompts: Sequence[str], what: str = "prompt") -> list[str]:
    """A line for each different prompt that the text encoders do not read to the end; it names the rest.

    Args:
        what: what the texts are called.
    """
    limit = max(backbone.family.token_limits(backbone.text).values())
    tails = dict(zip(prompts, backbone.find_cut(prompts), strict=True))
    return [
        f"the {what} is cut at the model's {limit} tokens, and not read from: {_shorten(tail)}"
        for tail in tails.values()
        if tail
    ]


def _shorten(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
