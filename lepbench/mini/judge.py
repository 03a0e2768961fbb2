"""The recipe that trains the judge: a small CLIP model, independent of the backbone."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

from lepbench.config import Config
from lepbench.mini.corpus import Range, attribute_labels, degrade, renders
from lepbench.mini.tokens import MAX_TOKENS, build_tokenizer
from lepbench.mini.training import Fit, Trainer, device
from lepbench.mini.unet import token_ids
from lepbench.sketchworld import ATTRIBUTES


class JudgeShape(Config):
    """The layout of a small CLIP model."""

    vision_width: int = 160
    vision_layers: int = 5
    patch: int = 8
    text_width: int = 128
    text_layers: int = 3
    projection: int = 64


class JudgeRecipe(JudgeShape):
    """How the judge is made: on indices that no other model of ours sees, half its pictures degraded.

    Attributes:
        attribute_weight: weight of an auxiliary loss, reading the first thing's attributes off the picture's
            features; it speeds a small vision transformer up and is thrown away afterwards.
    """

    attribute_weight: float = 0.3
    train: Range
    fit: Fit


def build(recipe: JudgeShape, tokenizer: CLIPTokenizer) -> CLIPModel:
    """A fresh CLIPModel for 64 px pictures and 32 tokens."""
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": recipe.text_width,
        "intermediate_size": 4 * recipe.text_width,
        "num_hidden_layers": recipe.text_layers,
        "num_attention_heads": 4,
        "max_position_embeddings": MAX_TOKENS,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision = {
        "hidden_size": recipe.vision_width,
        "intermediate_size": 4 * recipe.vision_width,
        "num_hidden_layers": recipe.vision_layers,
        "num_attention_heads": recipe.vision_width // 32,
        "image_size": 64,
        "patch_size": recipe.patch,
    }
    return CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=recipe.projection))


def processor() -> CLIPImageProcessor:
    """Pictures to 64 px and [-1, 1]."""
    half = [0.5, 0.5, 0.5]
    return CLIPImageProcessor(
        size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64}, image_mean=half, image_std=half
    )


def train(recipe: JudgeRecipe, folder: Path, cache: Path) -> tuple[CLIPModel, CLIPTokenizer]:
    """Train the judge contrastively; returned in evaluation mode."""
    torch.manual_seed(recipe.fit.seed)
    corpus = renders(recipe.train, cache)
    tokenizer = build_tokenizer(s.caption for s in corpus.scenes)
    ids = token_ids(tokenizer, [s.caption for s in corpus.scenes])
    labels = attribute_labels(corpus.scenes)
    heads = nn.ModuleDict({name: nn.Linear(recipe.projection, len(v)) for name, v in ATTRIBUTES.items()})
    model = nn.ModuleDict({"clip": build(recipe, tokenizer), "heads": heads}).to(device())

    def step(rng: torch.Generator) -> dict[str, Tensor]:
        rows = torch.randint(len(ids), (recipe.fit.batch,), generator=rng)
        pictures = degrade(corpus.images(rows), rng).to(device()) * 2 - 1
        output = model["clip"](input_ids=ids[rows].to(device()), pixel_values=pictures)
        contrast = contrastive_loss(output.logits_per_image.float(), ids[rows])
        seen = output.image_embeds.float() * 8
        read = [
            functional.cross_entropy(heads[name](seen), labels[name][rows].to(device()))
            for name in ATTRIBUTES
        ]
        attributes = torch.stack(read).mean()
        return {
            "loss": contrast + recipe.attribute_weight * attributes,
            "clip": contrast,
            "attributes": attributes,
        }

    Trainer(model, step, recipe.fit, folder).run("judge")
    clip: CLIPModel = model["clip"]
    return clip, tokenizer


def contrastive_loss(logits: Tensor, ids: Tensor) -> Tensor:
    """CLIP's symmetric cross-entropy of logits [B, B]; equal rows of ids [B, L] all count as right."""
    same = (ids[:, None] == ids[None, :]).all(dim=2).to(logits)
    target = same / same.sum(1, keepdim=True)
    return (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)) / 2


def save(model: CLIPModel, tokenizer: CLIPTokenizer, folder: Path) -> None:
    """Keep the judge as a CLIPModel folder."""
    model.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
    processor().save_pretrained(folder)


@torch.no_grad()
def retrieval_top1(similarity: Tensor, captions: list[str], group: int = 100) -> float:
    """Share of pictures whose own caption is the most similar of each group of `group`.

    Args:
        similarity: [N, N], pictures by captions in the same order; N a multiple of `group`.
        captions: the captions; one equal to a picture's own counts as its own.
    """
    right = 0
    for first in range(0, len(captions), group):
        block = similarity[first : first + group, first : first + group]
        best = block.argmax(dim=1).tolist()
        right += sum(captions[first + i] == captions[first + j] for i, j in enumerate(best))
    return right / len(captions)
