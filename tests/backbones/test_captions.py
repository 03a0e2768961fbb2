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

from lepbench.backbones import load_backbone

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


def unpad(states: Tensor, mask: Tensor) -> list[Tensor]:
    return [row[chosen.bool()] for row, chosen in zip(states, mask, strict=True)]


STOCK: dict[str, Callable[[Any], Encoded]] = {"sana": of_sana, "z-image": of_z_image}


@pytest.mark.parametrize("name", list(STOCK))
def test_captions_are_encoded_as_in_the_pipeline(name: str, tiny_folder_of: Callable[[str], Path]) -> None:
    pipe = diffusers.DiffusionPipeline.from_pretrained(tiny_folder_of(name))
    backbone = load_backbone(tiny_folder_of(name))
    with torch.no_grad():
        expected = STOCK[name](pipe)
    conditioning, empty = backbone.conditions(PROMPTS, 4.0, PROMPTS)
    assert empty is not None
    for found, wanted in zip((conditioning, empty), expected, strict=True):
        ours = unpad(found["embeddings"], found["mask"])
        assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(ours, wanted, strict=True))


# Tokens are letters here.
READ = {"sana": 298, "z-image": 512 - len("_user_")}


@pytest.mark.parametrize("name", list(READ))
def test_the_rest_of_a_long_caption_is_told(name: str, tiny_folder_of: Callable[[str], Path]) -> None:
    backbone = load_backbone(tiny_folder_of(name))
    assert backbone.find_cut(["x", LONG]) == ["", LONG.strip()[READ[name] :].strip()]
    short = LONG[: READ[name]]
    assert backbone.find_cut([short]) == [""]
