"""The embedded text-to-image model: U-Net and text encoder trained together on cached latents."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from lepbench.config import Config
from lepbench.files import atomic_path
from lepbench.mini.corpus import Range, Renders, renders
from lepbench.mini.denoising import denoising_loss
from lepbench.mini.precision import Precision, choose_precision
from lepbench.mini.tokens import MAX_TOKENS, build_tokenizer
from lepbench.mini.training import Fit, Trainer, device


class UnetRecipe(Config):
    """How U-Net and text encoder are made.

    Attributes:
        channels: of the U-Net's levels, at 16, 8 and 4 px; the last two have cross-attention.
        text_width, text_layers: of the CLIP text encoder.
        caption_dropout: share of captions left empty, for classifier-free guidance.
        snr_cap: gamma of the min-SNR loss weighting (Hang et al. 2023, eq. 7).
    """

    channels: tuple[int, int, int] = (64, 96, 160)
    text_width: int = 128
    text_layers: int = 2
    caption_dropout: float = 0.1
    snr_cap: float = 5.0
    train: Range
    fit: Fit


def scheduler(prediction: str = "epsilon") -> DDIMScheduler:
    """The noise schedule of Stable Diffusion 1.x, for a network that predicts epsilon or v."""
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        num_train_timesteps=1000,
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type=prediction,
    )


def build_unet(recipe: UnetRecipe) -> UNet2DConditionModel:
    """A fresh U-Net for latents [B, 4, 16, 16], epsilon prediction."""
    return UNet2DConditionModel(
        sample_size=16,
        block_out_channels=recipe.channels,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        norm_num_groups=16,
        cross_attention_dim=recipe.text_width,
        attention_head_dim=4,
    )


def build_text_encoder(width: int, layers: int, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """A fresh CLIP text encoder, [B, 32] token ids to [B, 32, width]."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=width,
            intermediate_size=4 * width,
            num_hidden_layers=layers,
            num_attention_heads=4,
            max_position_embeddings=MAX_TOKENS,
            projection_dim=width,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def train(recipe: UnetRecipe, vae: AutoencoderKL, folder: Path, cache: Path) -> StableDiffusionPipeline:
    """Train U-Net and text encoder, and put the pipeline together in float32."""
    torch.manual_seed(recipe.fit.seed)
    corpus = renders(recipe.train, cache)
    tokenizer = build_tokenizer(s.caption for s in corpus.scenes)
    ids = token_ids(tokenizer, [s.caption for s in corpus.scenes])
    empty = token_ids(tokenizer, [""])[0]
    latents = cached_latents(vae, corpus, folder / "latents.npy", recipe.fit.precision)
    text_encoder = build_text_encoder(recipe.text_width, recipe.text_layers, tokenizer)
    model = nn.ModuleDict({"unet": build_unet(recipe), "text": text_encoder})
    model.to(device()).to(memory_format=torch.channels_last)
    schedule = scheduler()

    def step(rng: torch.Generator) -> dict[str, Tensor]:
        rows = torch.randint(len(ids), (recipe.fit.batch,), generator=rng)
        clean = torch.from_numpy(latents[rows.numpy()]).float()
        dropped = torch.rand(recipe.fit.batch, generator=rng) < recipe.caption_dropout
        captions = torch.where(dropped[:, None], empty, ids[rows])
        return denoising_loss(
            partial(predict_noise, model, captions),
            schedule,
            clean.to(device()),
            snr_cap=recipe.snr_cap,
            rng=rng,
        )

    Trainer(model, step, recipe.fit, folder).run("unet")
    return assemble_pipeline(model, vae, tokenizer, schedule)


def assemble_pipeline(
    model: nn.ModuleDict, vae: AutoencoderKL, tokenizer: CLIPTokenizer, schedule: DDIMScheduler
) -> StableDiffusionPipeline:
    """The pipeline of a trained `unet` and `text`, without a safety checker."""
    return StableDiffusionPipeline(
        vae=vae,
        text_encoder=model["text"],
        tokenizer=tokenizer,
        unet=model["unet"],
        scheduler=schedule,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def predict_noise(model: nn.ModuleDict, captions: Tensor, noisy: Tensor, times: Tensor) -> Tensor:
    """The noise [B, 4, 16, 16] that `unet` finds in latents of that shape, whose captions `text` encodes.

    Args:
        captions: int64 [B, 32] token ids.
        times: int64 [B].
    """
    states = model["text"](captions.to(noisy.device)).last_hidden_state
    predicted: Tensor = model["unet"](
        noisy.contiguous(memory_format=torch.channels_last), times, states
    ).sample
    return predicted


def token_ids(tokenizer: CLIPTokenizer, captions: list[str]) -> Tensor:
    """int64 [B, 32], padded to the full length as diffusers does."""
    batch = tokenizer(captions, padding="max_length", truncation=True, max_length=MAX_TOKENS)
    return torch.tensor(batch["input_ids"], dtype=torch.long)


@torch.no_grad()
def cached_latents(
    vae: AutoencoderKL, corpus: Renders, path: Path, precision: Precision
) -> NDArray[np.float16]:
    """float16 [N, 4, 16, 16] scaled latents (posterior means) of all renders, encoded once."""
    if not path.exists():
        vae = vae.to(device()).to(memory_format=torch.channels_last)
        half = choose_precision(precision, vae.device).precision == "bf16"
        pieces = []
        for first in range(0, len(corpus.scenes), 128):
            rows = list(range(first, min(first + 128, len(corpus.scenes))))
            pictures = corpus.images(rows).to(vae.device) * 2 - 1
            with torch.autocast(vae.device.type, torch.bfloat16, enabled=half):
                mean = vae.encode(pictures).latent_dist.mean
            pieces.append((mean.float() * vae.config.scaling_factor).half().cpu().numpy())
        with atomic_path(path) as partial, partial.open("wb") as stream:
            np.save(stream, np.concatenate(pieces))
    latents: NDArray[np.float16] = np.load(path, mmap_mode="r")
    return latents
