"""The text-to-image model of the emoji: U-Net trained on from mini@1's, and a text encoder of its own."""

from __future__ import annotations

from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

from lepbench.config import Config
from lepbench.embedded import ASSETS
from lepbench.emoji.splits import SPLITS
from lepbench.files import atomic_path
from lepbench.mini.denoising import denoising_loss
from lepbench.mini.emoji_pictures import Augmentation, EmojiImages, EmojiPictures
from lepbench.mini.precision import Precision, choose_precision
from lepbench.mini.tokens import build_tokenizer
from lepbench.mini.training import Fit, Trainer, device
from lepbench.mini.unet import assemble_pipeline, build_text_encoder, predict_noise, scheduler, token_ids
from lepbench.seeds import derive_seed, make_generator

HEADS = 4
"""Of the attention that pools a caption for the time embedding."""


class EmojiUnetRecipe(Config):
    """How U-Net and text encoder are made.

    Attributes:
        start: the embedded model whose U-Net it begins as; the text encoder begins anew.
        text_width, text_layers: of the CLIP text encoder; the width is that of the start.
        vocabulary: tokens, enough for a token a word: a subject's name is then learnt at once.
        caption_dropout: share of captions left empty, for classifier-free guidance.
        snr_cap: of the loss's weights, see `denoising_loss`.
        copies: changed copies of each picture whose latents are kept, beside itself and its mirror image.
        plain: share of the samples that are the picture itself; the others are one of its copies.
    """

    start: str = "mini@1"
    text_width: int = 128
    text_layers: int = 2
    vocabulary: int = 4096
    caption_dropout: float = 0.1
    snr_cap: float = 5.0
    copies: int = 4
    plain: float = 0.55
    train: EmojiPictures = EmojiPictures()
    augmentation: Augmentation = Augmentation()
    fit: Fit


def train(recipe: EmojiUnetRecipe, vae: AutoencoderKL, folder: Path) -> StableDiffusionPipeline:
    """Train U-Net and text encoder, and put the pipeline together in float32."""
    torch.manual_seed(recipe.fit.seed)
    corpus = recipe.train.load()
    tokenizer = build_tokenizer(list_captions(), recipe.vocabulary)
    ids = torch.stack([token_ids(tokenizer, captions) for captions in corpus.captions])
    empty = token_ids(tokenizer, [""])[0]
    latents = cached_latents(vae, corpus, recipe, folder / "latents.npy")
    text_encoder = build_text_encoder(recipe.text_width, recipe.text_layers, tokenizer)
    model = nn.ModuleDict({"unet": build_unet(recipe.start), "text": text_encoder})
    model.to(device()).to(memory_format=torch.channels_last)
    schedule = scheduler("v_prediction")

    def step(rng: torch.Generator) -> dict[str, Tensor]:
        batch = recipe.fit.batch
        rows = torch.randint(len(ids), (batch,), generator=rng)
        copies = torch.randint(1, latents.shape[1], (batch,), generator=rng)
        copies[torch.rand(batch, generator=rng) < recipe.plain] = 0
        wordings = torch.randint(ids.shape[1], (batch,), generator=rng)
        dropped = torch.rand(batch, generator=rng) < recipe.caption_dropout
        captions = torch.where(dropped[:, None], empty, ids[rows, wordings])
        return denoising_loss(
            partial(predict_noise, model, captions),
            schedule,
            torch.from_numpy(latents[rows.numpy(), copies.numpy()]).float().to(device()),
            snr_cap=recipe.snr_cap,
            rng=rng,
        )

    Trainer(model, step, recipe.fit, folder).run("emoji unet")
    return assemble_pipeline(model, vae, tokenizer, schedule)


def list_captions() -> list[str]:
    """Every caption of every picture, held out or not: a word of a held-out subject is one token, too."""
    return list(chain.from_iterable(EmojiPictures(splits=SPLITS).load().captions))


def build_unet(start: str) -> UNet2DConditionModel:
    """The U-Net of an embedded model, to whose time embedding a pooled caption is added.

    Cross-attention alone reaches levels of 8 and 4 px; the sum reaches every block, and what is drawn is
    learnt in far fewer steps.
    """
    folder = ASSETS / start / "unet"
    config = UNet2DConditionModel.load_config(folder)
    unet: UNet2DConditionModel = UNet2DConditionModel.from_config(
        {**config, "addition_embed_type": "text", "addition_embed_type_num_heads": HEADS}
    )
    weights = load_file(folder / "diffusion_pytorch_model.safetensors")
    fresh, unknown = unet.load_state_dict(
        {name: value.float() for name, value in weights.items()}, strict=False
    )
    assert not unknown
    assert all(name.startswith("add_embedding.") for name in fresh)
    return unet


def cached_latents(
    vae: AutoencoderKL, corpus: EmojiImages, recipe: EmojiUnetRecipe, path: Path
) -> NDArray[np.float16]:
    """float16 [N, 2 + copies, 4, 16, 16] latents of each picture, its mirror image and changed copies."""
    if not path.exists():
        vae = vae.to(device()).to(memory_format=torch.channels_last)
        kinds = []
        for copy in range(2 + recipe.copies):
            pictures = corpus.images.flip(-1) if copy == 1 else corpus.images
            if copy > 1:
                pictures = recipe.augmentation.apply(pictures, make_generator(derive_seed("copy", copy)))
            kinds.append(encode(vae, pictures, recipe.fit.precision))
        with atomic_path(path) as partial_file, partial_file.open("wb") as stream:
            np.save(stream, np.stack(kinds, axis=1))
    latents: NDArray[np.float16] = np.load(path, mmap_mode="r")
    return latents


@torch.no_grad()
def encode(vae: AutoencoderKL, pictures: Tensor, precision: Precision) -> NDArray[np.float16]:
    """Latents [N, 4, 16, 16] of pictures float32 [N, 3, 64, 64] in [0, 1]."""
    half = choose_precision(precision, vae.device).precision == "bf16"
    pieces = []
    for part in torch.split(pictures, 64):
        with torch.autocast(vae.device.type, torch.bfloat16, enabled=half):
            mean = vae.encode(part.to(vae.device) * 2 - 1).latent_dist.mean
        pieces.append(mean.half().cpu())
    latents: NDArray[np.float16] = torch.cat(pieces).numpy()
    return latents
