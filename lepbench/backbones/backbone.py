"""A latent diffusion pipeline: frozen components, and encoding to and decoding from its latents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lepbench.backbones.conditioning import Conditioning
from lepbench.backbones.family import Family, Size, TextParts
from lepbench.backbones.finite import require_encoded, require_finite
from lepbench.backbones.folder import hash_adapter, hash_folder
from lepbench.backbones.notes import describe_components
from lepbench.backbones.prompts import encode_halves, find_cut, require_negatives
from lepbench.backbones.survey import measure_tap_shapes
from lepbench.backbones.taps import collect_taps
from lepbench.backbones.vae_batches import decode_batches, encode_batches
from lepbench.errors import LepbenchError


@dataclass(frozen=True, eq=False)
class Backbone:
    """A frozen text-to-image pipeline.

    Attributes:
        name: as given: an embedded name, a folder or a hub id.
        folder: where its files are.
        family: the pipeline family.
        denoiser: the U-Net or transformer.
        vae: the autoencoder. These and the text encoders are in eval mode, with no trainable parameters.
        text: tokenizers and text encoders.
        scheduler: the training schedule, as a diffusers scheduler config.
        taps: the positions of `denoiser` a predictor reads.
        device, dtype: of the components.
        adapter: where the low-rank weights are that were added to the denoiser's; None for none.
    """

    name: str
    folder: Path
    family: Family
    denoiser: Any
    vae: Any
    text: TextParts
    scheduler: Mapping[str, Any]
    taps: tuple[str, ...]
    device: torch.device
    dtype: torch.dtype
    adapter: Path | None = None

    @property
    def train_timesteps(self) -> int:
        """T_train, the length of the training schedule."""
        return int(self.scheduler["num_train_timesteps"])

    @property
    def takes_scale(self) -> bool:
        """Whether guidance is distilled: its scale is an input of the denoiser, or ignored."""
        return self.family.takes_scale(self.denoiser.config, self.text.index)

    @property
    def vae_factor(self) -> int:
        """Pixels per latent along a side."""
        return self.family.autoencoder.factor(self.vae.config)

    @property
    def latent_channels(self) -> int:
        """Channels of the latents."""
        return self.family.autoencoder.channels(self.vae.config)

    @property
    def image_size(self) -> int:
        """The side in pixels of the pictures the model was trained on; the shorter one of a rectangle.

        Raises:
            LepbenchError: its config does not say.
        """
        return min(self.choose_size(None, None))

    def choose_size(self, height: int | None, width: int | None) -> Size:
        """Height and width in pixels: as given, or those of the pictures the model was trained on.

        Raises:
            LepbenchError: one is not given, and its config does not say.
        """
        if height and width:
            return height, width
        latent = self.family.latent_size(self.denoiser.config)
        if latent is None:
            raise LepbenchError(
                f"the config of {self.name} has no sample_size, the size it draws at", "give height and width"
            )
        return height or latent[0] * self.vae_factor, width or latent[1] * self.vae_factor

    @cached_property
    def tap_channels(self) -> dict[str, int]:
        """Channels at every tap, in order."""
        config = self.denoiser.config
        side = self.family.latent_side(config)
        return {tap.name: tap.channels for tap in measure_tap_shapes(self.family, config, (side, side))}

    def latent_shape(self, size: int | Size) -> tuple[int, int, int]:
        """Latent `(C, h, w)` for pictures of `size` px (a side, or height and width).

        Raises:
            LepbenchError: the denoiser does not support such a latent size.
        """
        height, width = (size, size) if isinstance(size, int) else size
        size_multiple = self.vae_factor * self.family.size_multiple(self.denoiser.config)
        most = self.family.most(self.denoiser.config)
        if height <= 0 or width <= 0 or height % size_multiple or width % size_multiple:
            raise LepbenchError(
                f"{self.name} cannot draw {width}x{height} px",
                f"choose sides that are multiples of {size_multiple} px",
            )
        if most is not None and max(height, width) > most * self.vae_factor:
            raise LepbenchError(
                f"{self.name} cannot draw {width}x{height} px",
                f"choose sides of at most {most * self.vae_factor} px",
            )
        return self.latent_channels, height // self.vae_factor, width // self.vae_factor

    def predict(self, latents: Tensor, timesteps: Tensor | int | float, conditioning: Conditioning) -> Tensor:
        """One pass over `latents [B, C, h, w]`: the prediction, in their shape and dtype, without a graph."""
        with torch.inference_mode(not self.family.keeps_tables), torch.no_grad():
            predicted = self._run(latents, timesteps, conditioning)
        # Inference tensors cannot be part of a graph; the copy can.
        return predicted.to(latents.dtype, copy=True)

    def read(
        self,
        latents: Tensor,
        timesteps: Tensor | int | float,
        conditioning: Conditioning,
        positions: Sequence[str],
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """One forward pass of the denoiser that also returns features.

        Args:
            latents: `[B, C, h, w]`.
            timesteps: of the training schedule, one or `[B]`.
            positions: module paths of the denoiser.

        Returns:
            What `predict` returns, and position -> features `[B, channels, height, width]` without text; in
            the graph if one is being recorded.

        Raises:
            LepbenchError: a position does not exist.
        """
        with collect_taps(self.denoiser, positions) as outputs:
            predicted = self._run(latents, timesteps, conditioning)
        return predicted.to(latents.dtype), self._folded(outputs, latents, positions)

    def features(
        self,
        latents: Tensor,
        timesteps: Tensor | int | float,
        conditioning: Conditioning,
        positions: Sequence[str],
    ) -> dict[str, Tensor]:
        """Only the features of `read`: the pass stops after the last position."""
        with collect_taps(self.denoiser, positions, whole=False) as outputs:
            self._run(latents, timesteps, conditioning)
        return self._folded(outputs, latents, positions)

    def _run(self, latents: Tensor, timesteps: Tensor | int | float, conditioning: Conditioning) -> Tensor:
        """One pass, in the denoiser's own precision."""
        pixels = (latents.shape[-2] * self.vae_factor, latents.shape[-1] * self.vae_factor)
        timesteps = torch.as_tensor(timesteps, device=latents.device).expand(len(latents))
        return self.family.run(
            self.denoiser,
            latents.to(self.dtype),
            timesteps,
            conditioning=conditioning.to(self.dtype),
            pixels=pixels,
        )

    def _folded(
        self, outputs: Mapping[str, Any], latents: Tensor, positions: Sequence[str]
    ) -> dict[str, Tensor]:
        """What the modules returned, as maps."""
        latent, config = (latents.shape[-2], latents.shape[-1]), self.denoiser.config
        return {name: self.family.fold(outputs[name], latent, config) for name in positions}

    def noised(self, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """Noised latents at `timesteps`, int64 `[B]`, by the backbone's forward process.

        `sqrt(abar_t) z + sqrt(1 - abar_t) noise`, or `(1 - s) z + s noise` with `s = t / T_train` for a flow.
        """
        if self.family.flow:
            share = (timesteps / self.train_timesteps).to(latents)[:, None, None, None]
            return torch.lerp(latents, noise, share)
        noisy: Tensor = self._schedule.add_noise(latents, noise, timesteps)
        return noisy

    @cached_property
    def _schedule(self) -> Any:
        from diffusers import DDPMScheduler

        return DDPMScheduler.from_config(dict(self.scheduler))

    @torch.no_grad()
    def encode_images(self, images: Tensor) -> Tensor:
        """float [B, 3, H, W] in [0, 1] to latents [B, C, h, w]: the posterior's mode, shifted and scaled.

        Raises:
            NotFinite: some latents are not finite.
        """
        self.latent_shape((images.shape[-2], images.shape[-1]))
        centred = (images * 2 - 1).to(self.device, self.vae.dtype)
        latents = encode_batches(self.family.autoencoder, self.vae, centred)
        require_encoded(latents, self.vae.dtype)
        return latents.float().contiguous()

    def encode_edges(self, edges: Tensor) -> Tensor:
        """bool, or float in [0, 1], [B, H, W] to latents: strokes +1 and background -1 in three channels."""
        return self.encode_images(edges.unsqueeze(1).expand(-1, 3, -1, -1).float())

    @torch.no_grad()
    def decode_latents(self, latents: Tensor) -> Tensor:
        """Latents [B, C, h, w] to float32 pictures [B, 3, H, W] in [0, 1], clipped.

        Raises:
            NotFinite: a picture, or the latent it is decoded from, has values that are not finite.
        """
        pictures = (self.decode(latents) / 2 + 0.5).clamp(0, 1)
        require_finite(latents, pictures, denoiser=self.dtype, vae=self.vae.dtype)
        return pictures

    def decode(self, latents: Tensor) -> Tensor:
        """Latents [B, C, h, w] to float32 [B, 3, H, W] around [-1, 1], in the graph if one is recorded."""
        return decode_batches(self.family.autoencoder, self.vae, latents, self.device)

    @torch.no_grad()
    def encode_prompts(self, prompts: Sequence[str]) -> Conditioning:
        """Encode texts for the denoiser, padded or truncated as in the pipeline of this family."""
        return self.family.encode(self.text, prompts)

    @torch.no_grad()
    def conditions(
        self, prompts: Sequence[str], scale: float, negatives: Sequence[str | None] | None = None
    ) -> tuple[Conditioning, Conditioning | None]:
        """The conditional and, if classifier-free guidance needs them, the unconditional embeddings.

        Args:
            negatives: per prompt the text that is encoded as its unconditional half, as `negative_prompt` of
                diffusers; None for the family's own embeddings, which for SDXL are mostly zeros.

        Raises:
            LepbenchError: `require_negatives`.
        """
        return encode_halves(self.family, self.text, prompts, scale, negatives=negatives)

    def require_negatives(self, scale: float, negatives: Iterable[str | None]) -> None:
        """Refuse negative prompts that nothing would read.

        Raises:
            LepbenchError: there is one, and no unconditional pass: guidance is distilled, or its scale is too
                low.
        """
        require_negatives(self.family, self.text, scale, negatives)

    def find_cut(self, prompts: Sequence[str]) -> list[str]:
        """What no text encoder reads of each prompt, beyond its number of tokens; empty if all is read."""
        return find_cut(self.family, self.text, prompts)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of its pictures should know of the components, a line each; empty for most."""
        return describe_components(self.family, self.denoiser, self.vae, self.text)

    @cached_property
    def files_sha256(self) -> dict[str, str]:
        """SHA-256 of every file that affects a result, by its path in the model's folder; hashed once."""
        files = hash_folder(self.folder, self.family, self.text)
        return files if self.adapter is None else files | hash_adapter(self.adapter)
