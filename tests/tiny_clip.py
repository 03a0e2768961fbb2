"""A CLIP model of random weights in the layout of a published one."""

from __future__ import annotations

import string
from pathlib import Path

import torch
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

POSITIONS = 24


def save_clip(folder: Path, seed: int = 0) -> Path:
    """A `CLIPModel` for pictures of 32 px, 24 positions and features of 16, with its tokenizer of letters."""
    letters = [*string.ascii_lowercase, *string.digits]
    tokens = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    text = {
        **tower,
        "vocab_size": len(tokens),
        "max_position_embeddings": POSITIONS,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": 1,
    }
    vision = {**tower, "image_size": 32, "patch_size": 8}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=16))
        with torch.no_grad():
            # By the small weights of the constructor all pictures would look alike.
            for weight in model.parameters():
                if weight.ndim > 1:
                    weight.normal_(std=weight[0].numel() ** -0.5)
    model.save_pretrained(folder)
    vocabulary = {token: place for place, token in enumerate(tokens)}
    CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=POSITIONS).save_pretrained(folder)
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(
        folder
    )
    return folder
