"""Prompts and negative prompts through a pipeline's text encoders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch

from lepbench.backbones.conditioning import Conditioning
from lepbench.backbones.family import Family, TextParts
from lepbench.errors import LepbenchError


def encode_halves(
    family: Family,
    text: TextParts,
    prompts: Sequence[str],
    scale: float,
    negatives: Sequence[str | None] | None = None,
) -> tuple[Conditioning, Conditioning | None]:
    """The conditional and, if classifier-free guidance of `scale` needs them, the unconditional embeddings.

    Args:
        negatives: per prompt the text that is encoded as its unconditional half; None for the family's own
            embeddings.

    Raises:
        LepbenchError: `require_negatives`.
    """
    require_negatives(family, text, scale, negatives or ())
    conditioning, empty = family.conditions(text, prompts, scale)
    given = {row: negative for row, negative in enumerate(negatives or ()) if negative is not None}
    if empty is None or not given:
        return conditioning, empty
    rows = torch.tensor(list(given), device=text.device)
    return conditioning, empty.with_rows(rows, family.encode_negatives(text, list(given.values())))


def require_negatives(family: Family, text: TextParts, scale: float, negatives: Iterable[str | None]) -> None:
    """Refuse negative prompts that nothing would read.

    Raises:
        LepbenchError: there is one, and no unconditional pass: guidance is distilled, or its scale is too
            low.
    """
    if not any(negatives):
        return
    if family.takes_scale(text.denoiser, text.index):
        raise LepbenchError(f"{family.name} takes no negative prompt", "leave negative_prompt out")
    if scale <= family.unguided:
        raise LepbenchError(
            f"guidance_scale {scale} has no unconditional pass to read a negative prompt",
            f"give a scale above {family.unguided:g}, or leave negative_prompt out",
        )


def find_cut(family: Family, text: TextParts, prompts: Sequence[str]) -> list[str]:
    """What no text encoder reads of each prompt, beyond its number of tokens; empty if all is read."""
    tails = [
        [family.find_tail(text, name, prompt, limit) for prompt in prompts]
        for name, limit in family.token_limits(text).items()
    ]
    return [min(found, key=len) for found in zip(*tails, strict=True)]
