"""The recipe that trains the judge of the emoji: a small CLIP model, independent of their backbone."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPModel, CLIPTokenizer

from lepbench.emoji.splits import SPLITS
from lepbench.mini.corpus import degrade
from lepbench.mini.emoji_pictures import Augmentation, EmojiPictures
from lepbench.mini.judge import JudgeShape, build, contrastive_loss
from lepbench.mini.labels import number_labels
from lepbench.mini.tokens import build_tokenizer
from lepbench.mini.training import Fit, Trainer, device
from lepbench.mini.unet import token_ids

COLUMNS = ("subject", "set")


class EmojiJudgeRecipe(JudgeShape):
    """How the judge is made: on all pictures, those that are held out from the backbone, too.

    It is asked what a backbone's picture shows, and has to know the answer. Half its pictures are degraded,
    and all are changed otherwise than in the backbone's training.

    Attributes:
        vocabulary: tokens.
        label_weight: weight of an auxiliary loss, naming subject and set by the picture's features; it is
            thrown away afterwards.
        colour: largest change of a channel's strength.
    """

    vocabulary: int = 4096
    label_weight: float = 0.5
    colour: float = 0.15
    train: EmojiPictures = EmojiPictures(splits=SPLITS)
    augmentation: Augmentation = Augmentation(flip=0.5, shrink=0.8, smallest=0.6, shift=5)
    fit: Fit


def train(recipe: EmojiJudgeRecipe, folder: Path) -> tuple[CLIPModel, CLIPTokenizer]:
    """Train the judge contrastively; returned in evaluation mode."""
    torch.manual_seed(recipe.fit.seed)
    corpus = recipe.train.load()
    tokenizer = build_tokenizer((text for texts in corpus.captions for text in texts), recipe.vocabulary)
    ids = torch.stack([token_ids(tokenizer, captions) for captions in corpus.captions])
    labels = {name: number_labels(corpus.table.rows[name]) for name in COLUMNS}
    heads = nn.ModuleDict(
        {name: nn.Linear(recipe.projection, int(values.max()) + 1) for name, values in labels.items()}
    )
    model = nn.ModuleDict({"clip": build(recipe, tokenizer), "heads": heads}).to(device())

    def step(rng: torch.Generator) -> dict[str, Tensor]:
        rows = torch.randint(len(ids), (recipe.fit.batch,), generator=rng)
        wordings = torch.randint(ids.shape[1], (recipe.fit.batch,), generator=rng)
        pictures = change_colours(recipe.augmentation.apply(corpus.images[rows], rng), recipe.colour, rng)
        captions = ids[rows, wordings]
        output = model["clip"](
            input_ids=captions.to(device()), pixel_values=degrade(pictures, rng).to(device()) * 2 - 1
        )
        contrast = contrastive_loss(output.logits_per_image.float(), rows[:, None])
        seen = output.image_embeds.float() * 8
        named = [
            functional.cross_entropy(heads[name](seen), labels[name][rows].to(device())) for name in COLUMNS
        ]
        label = torch.stack(named).mean()
        return {"loss": contrast + recipe.label_weight * label, "clip": contrast, "labels": label}

    Trainer(model, step, recipe.fit, folder).run("emoji judge")
    clip: CLIPModel = model["clip"]
    return clip, tokenizer


def change_colours(pictures: Tensor, largest: float, rng: torch.Generator) -> Tensor:
    """Each channel of each picture [B, 3, H, W] in [0, 1] weaker by a factor down to 1 - `largest`."""
    factors = 1 - largest * torch.rand(len(pictures), 3, 1, 1, generator=rng)
    return pictures * factors
