"""A latent diffusion pipeline as data: frozen components, and the four ways into and out of its latents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lepbench.backbones.load import (
    COMPONENTS,
    FILES,
    choose_device,
    load_component,
    load_tokenizer,
    scheduler_config,
)
from lepbench.backbones.resolve import model_folder
from lepbench.backbones.taps import TapSpec, tapped, taps_of
from lepbench.errors import LepbenchError
from lepbench.files import sha256_file

AT_ONCE = 8
"""Pictures through the VAE in one call: bounds the memory of a large batch."""


@dataclass(frozen=True, eq=False)
class Backbone:
    """A frozen text-to-image pipeline of the Stable Diffusion kind.

    Attributes:
        name: as asked for: an embedded name, a folder or a hub id.
        folder: where its files are.
        unet, vae, text_encoder: in eval mode, no parameter of them takes a gradient.
        tokenizer: the CLIP tokenizer.
        scheduler: the training schedule, as a diffusers scheduler config.
        taps: the positions of `unet` a predictor reads.
        device, dtype: where and in what precision the components live.
    """

    name: str
    folder: Path
    unet: Any
    vae: Any
    text_encoder: Any
    tokenizer: Any
    scheduler: Mapping[str, Any]
    taps: TapSpec
    device: torch.device
    dtype: torch.dtype

    @property
    def train_timesteps(self) -> int:
        """T_train, the length of the training schedule."""
        return int(self.scheduler["num_train_timesteps"])

    @property
    def vae_factor(self) -> int:
        """Pixels per latent along a side."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))

    @property
    def image_size(self) -> int:
        """The side in pixels of the pictures the model was trained on."""
        return int(self.unet.config.sample_size) * self.vae_factor

    @cached_property
    def tap_channels(self) -> dict[str, int]:
        """Channels at every tap, in order; measured by one pass over a small empty latent."""
        side = 2 ** len(self.unet.config.down_block_types)
        latents = torch.zeros(1, self.unet.config.in_channels, side, side, device=self.device)
        text = torch.zeros(1, 1, self.unet.config.cross_attention_dim, device=self.device)
        with torch.no_grad(), tapped(self.unet, self.taps.positions) as features:
            self.predict(latents, 0, text)
        return {name: features[name].shape[1] for name in self.taps.positions}

    def latent_shape(self, size: int | tuple[int, int]) -> tuple[int, int, int]:
        """Latent `(C, h, w)` for pictures of `size` px (a side, or height and width).

        Raises:
            LepbenchError: the U-Net cannot halve such a latent as often as it must.
        """
        height, width = (size, size) if isinstance(size, int) else size
        unit = self.vae_factor * 2 ** (len(self.unet.config.down_block_types) - 1)
        if height <= 0 or width <= 0 or height % unit or width % unit:
            raise LepbenchError(
                f"{self.name} cannot draw {width}x{height} px",
                f"choose sides that are multiples of {unit} px",
            )
        return int(self.vae.config.latent_channels), height // self.vae_factor, width // self.vae_factor

    def predict(self, latents: Tensor, timesteps: Tensor | int | float, text: Tensor) -> Tensor:
        """One pass of the U-Net: its raw output for `latents [B, C, h, w]`, in the latents' dtype."""
        output: Tensor = self.unet(latents.to(self.dtype), timesteps, text.to(self.dtype), return_dict=False)[
            0
        ]
        return output.to(latents.dtype)

    @torch.no_grad()
    def encode_images(self, images: Tensor) -> Tensor:
        """float [B, 3, H, W] in [0, 1] to latents [B, C, h, w]: the posterior's mode, scaled."""
        self.latent_shape((images.shape[-2], images.shape[-1]))
        centred = (images * 2 - 1).to(self.device, self.dtype)
        modes = [self.vae.encode(piece).latent_dist.mode() for piece in torch.split(centred, AT_ONCE)]
        latents: Tensor = torch.cat(modes) * self.vae.config.scaling_factor
        return latents.float().contiguous()

    def encode_edges(self, edges: Tensor) -> Tensor:
        """bool, or float in [0, 1], [B, H, W] to latents: strokes +1 and ground -1 in three channels."""
        return self.encode_images(edges.unsqueeze(1).expand(-1, 3, -1, -1).float())

    @torch.no_grad()
    def decode_latents(self, latents: Tensor) -> Tensor:
        """Latents [B, C, h, w] to float32 pictures [B, 3, H, W] in [0, 1], clipped."""
        unscaled = (latents / self.vae.config.scaling_factor).to(self.device, self.dtype)
        pieces = [self.vae.decode(piece).sample.float() for piece in torch.split(unscaled, AT_ONCE)]
        return (torch.cat(pieces) / 2 + 0.5).clamp(0, 1)

    @torch.no_grad()
    def encode_prompts(self, prompts: Sequence[str]) -> Tensor:
        """Texts to embeddings [B, L, D]: padded to the model's length, cut there with the end token kept."""
        length = min(self.tokenizer.model_max_length, self.text_encoder.config.max_position_embeddings)
        tokens = self.tokenizer(
            list(prompts), padding="max_length", max_length=length, truncation=True, return_tensors="pt"
        )
        embeddings: Tensor = self.text_encoder(tokens.input_ids.to(self.device))[0]
        return embeddings.float()

    def weights_sha256(self) -> dict[str, str]:
        """SHA-256 of every weight file, by its path in the model's folder."""
        return {f"{part}/{FILES[part]}": sha256_file(self.folder / part / FILES[part]) for part in COMPONENTS}


def load_backbone(
    id_or_path: str | Path, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32
) -> Backbone:
    """Load a StableDiffusionPipeline folder, ready to be read and sampled but not trained.

    Only safetensors are read; the safety checker is not loaded.

    Args:
        id_or_path: an embedded name (`mini@1`), a folder, or a hub id.
        device: a torch device, or `auto` for a GPU if there is one.

    Raises:
        LepbenchError: it cannot be found or fetched, a file is missing or damaged, or its layout is unknown.
    """
    where = choose_device(device)
    patterns = ["model_index.json", "tokenizer/*", "scheduler/*.json"]
    patterns += [f"{part}/{name}" for part in COMPONENTS for name in ("config.json", FILES[part])]
    folder = model_folder(id_or_path, patterns)
    parts: dict[str, nn.Module] = {part: load_component(folder, part, dtype) for part in COMPONENTS}
    for module in parts.values():
        module.requires_grad_(False).eval().to(where)
    return Backbone(
        name=str(id_or_path),
        folder=folder,
        **parts,
        tokenizer=load_tokenizer(folder),
        scheduler=scheduler_config(folder),
        taps=taps_of(parts["unet"].config),  # type: ignore[arg-type]
        device=where,
        dtype=dtype,
    )
