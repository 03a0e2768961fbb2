"""The VAE of the emoji, trained on from that of mini@1 on pictures and their edge maps."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn

from lepbench.config import Config
from lepbench.detectors import Canny
from lepbench.embedded import ASSETS
from lepbench.mini.emoji_pictures import Augmentation, EmojiImages, EmojiPictures
from lepbench.mini.training import Fit, Trainer, device
from lepbench.mini.vae import fold_statistics, loss_of


class EmojiVaeRecipe(Config):
    """How the VAE is trained on.

    Attributes:
        start: the embedded model whose VAE it begins as.
        parts: what is trained: all of it, or the decoder alone, which leaves latents as they are.
        edge_share, gradient_weight, kl_weight: as for mini's.
    """

    start: str = "mini@1"
    parts: Literal["all", "decoder"] = "all"
    edge_share: float = 0.25
    detector: Canny = Canny(low=0.3, high=0.6)
    gradient_weight: float = 0.5
    kl_weight: float = 1e-5
    train: EmojiPictures = EmojiPictures()
    augmentation: Augmentation = Augmentation()
    fit: Fit


def train(recipe: EmojiVaeRecipe, folder: Path, start: Path | None = None) -> AutoencoderKL:
    """Train, and fold the latents' statistics into the VAE unless its decoder alone was trained; float32.

    Args:
        start: folder of the VAE to begin with; that of the recipe's embedded model unless given.
    """
    torch.manual_seed(recipe.fit.seed)
    corpus = recipe.train.load()
    vae = AutoencoderKL.from_pretrained(start or ASSETS / recipe.start / "vae").float()
    vae.to(device(), memory_format=torch.channels_last)
    trained: nn.Module = vae
    if recipe.parts == "decoder":
        vae.encoder.requires_grad_(False)
        vae.quant_conv.requires_grad_(False)
        trained = nn.ModuleDict({"decoder": vae.decoder, "post": vae.post_quant_conv})

    def step(rng: torch.Generator) -> dict[str, Tensor]:
        pictures = draw_batch(corpus, recipe, rng).to(vae.device)
        return loss_of(vae, pictures.contiguous(memory_format=torch.channels_last), recipe, rng)

    Trainer(trained, step, recipe.fit, folder).run(f"emoji vae, {recipe.parts}")
    vae.eval().requires_grad_(False)
    if recipe.parts == "all":
        fold_statistics(vae, torch.split(corpus.images * 2 - 1, 64))
    return vae


def draw_batch(corpus: EmojiImages, recipe: EmojiVaeRecipe, rng: torch.Generator) -> Tensor:
    """[B, 3, 64, 64] in [-1, 1]: changed pictures, the last of them replaced by their edge maps."""
    rows = torch.randint(len(corpus), (recipe.fit.batch,), generator=rng)
    pictures = recipe.augmentation.apply(corpus.images[rows], rng)
    edges = round(recipe.fit.batch * recipe.edge_share)
    if edges:
        pictures[-edges:] = recipe.detector(pictures[-edges:]).float()[:, None]
    return pictures * 2 - 1
