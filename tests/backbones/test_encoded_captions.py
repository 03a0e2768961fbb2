"""Captions of any length are encoded as the pipeline encodes them; what it cuts off is told."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from torch import Tensor

from lepbench.backbones import Conditioning, load_backbone
from lepbench.backbones.chat import count_tokens
from lepbench.predictors.latents import halve_texts

LONG = "a red fish and " * 80
PROMPTS = ["Two blue boats", LONG]

Encoded = tuple[list[Tensor], list[Tensor]]
"""Embeddings `[tokens, width]` of every prompt, and of every negative prompt, without padding."""


def of_sana(pipe: Any) -> Encoded:
    instruction = inspect.signature(pipe.__call__).parameters["complex_human_instruction"]
    found = pipe.encode_prompt(
        PROMPTS, negative_prompt=PROMPTS, complex_human_instruction=instruction.default, device="cpu"
    )
    return unpad(found[0], found[1]), unpad(found[2], found[3])


def of_z_image(pipe: Any) -> Encoded:
    # It writes the messages into the list.
    found: Encoded = pipe.encode_prompt(list(PROMPTS), negative_prompt=list(PROMPTS), device="cpu")
    return found


def of_qwen_image(pipe: Any) -> Encoded:
    # The length of its own call.
    states, mask = pipe.encode_prompt(PROMPTS, max_sequence_length=512, device="cpu")
    return unpad(states, mask), unpad(states, mask)


def of_flux2_klein(pipe: Any) -> Encoded:
    # It reads the padding, too.
    states = list(pipe.encode_prompt(PROMPTS, device="cpu")[0])
    return states, states


def unpad(states: Tensor, mask: Tensor) -> list[Tensor]:
    return [row[chosen.bool()] for row, chosen in zip(states, mask, strict=True)]


STOCK: dict[str, Callable[[Any], Encoded]] = {
    "sana": of_sana,
    "z-image": of_z_image,
    "qwen-image": of_qwen_image,
    "flux2-klein": of_flux2_klein,
}


@pytest.mark.parametrize("name", list(STOCK))
def test_captions_are_encoded_as_in_the_pipeline(name: str, tiny_folder_of: Callable[[str], Path]) -> None:
    pipe = diffusers.DiffusionPipeline.from_pretrained(tiny_folder_of(name))
    backbone = load_backbone(tiny_folder_of(name))
    with torch.no_grad():
        expected = STOCK[name](pipe)
    conditioning, empty = backbone.conditions(PROMPTS, 4.0, PROMPTS)
    assert empty is not None
    for found, wanted in zip((conditioning, empty), expected, strict=True):
        states = found["embeddings"]
        ours = unpad(states, found.tensors.get("mask", torch.ones(states.shape[:2])))
        assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(ours, wanted, strict=True))


def before_caption(pipe: Any) -> int:
    """Tokens of Qwen-Image's template before the caption."""
    return len(pipe.tokenizer(pipe.prompt_template_encode.split("{")[0]).input_ids)


# Tokens are letters here.
READ: dict[str, Callable[[Any], int]] = {
    "sana": lambda pipe: 298,
    "z-image": lambda pipe: 512 - len("_user_"),
    "flux2-klein": lambda pipe: 512 - len("_user_"),
    "qwen-image": lambda pipe: 34 + 512 - before_caption(pipe),
}


@pytest.mark.parametrize("name", list(READ))
def test_the_rest_of_a_long_caption_is_told(name: str, tiny_folder_of: Callable[[str], Path]) -> None:
    read = READ[name](diffusers.DiffusionPipeline.from_pretrained(tiny_folder_of(name)))
    backbone = load_backbone(tiny_folder_of(name))
    assert backbone.find_cut(["x", LONG]) == ["", LONG.strip()[read:].strip()]
    assert backbone.find_cut([LONG[:read]]) == [""]


def test_tokens_are_counted_in_every_precision() -> None:
    mask = torch.ones(2, 301)
    mask[1, 259:] = 0
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        assert count_tokens(mask.to(dtype)) == [301, 259]
    assert count_tokens(mask.to("meta")) == [301, 301]


def test_embeddings_beyond_half_precision_are_kept_in_full() -> None:
    small, large = (Conditioning({"embeddings": torch.tensor([[[value]]])}) for value in (0.1, 1e5))
    assert halve_texts(small)["embeddings"].dtype == torch.float16
    assert torch.equal(halve_texts(large)["embeddings"], large["embeddings"])
    both = Conditioning.cat([halve_texts(small), halve_texts(large)])["embeddings"]
    assert torch.allclose(both.flatten(), torch.tensor([0.1, 1e5]), rtol=1e-3)
