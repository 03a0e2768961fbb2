"""A latent diffusion pipeline: frozen components, and encoding to and decoding from its latents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, get_args

import torch
from torch import Tensor

from lepbench.backbones.checks import SCHEDULER, check_pipeline
from lepbench.backbones.conditioning import Conditioning
from lepbench.backbones.family import Family, Size, TextParts, choose_classes, list_present
from lepbench.backbones.finite import require_encoded, require_finite
from lepbench.backbones.identify import choose_family, find_pipeline, read_index
from lepbench.backbones.known import load_known
from lepbench.backbones.load import (
    VARIANTS,
    Precision,
    choose_device,
    find_quantisation,
    find_weight_files,
    list_class_names,
    list_component_files,
    list_tokenizer_files,
    list_weight_patterns,
    load_component,
    load_config,
    load_tokenizer,
    place_component,
    read_config,
    read_mapping,
)
from lepbench.backbones.resolve import INDEX, find_model_folder
from lepbench.backbones.survey import measure_tap_shapes
from lepbench.backbones.taps import collect_taps, find_module
from lepbench.errors import LepbenchError
from lepbench.files import sha256_file
from lepbench.registry import suggest_name

SCHEDULE = "scheduler/scheduler_config.json"

AT_ONCE = 8
"""Maximum images per VAE call: larger batches are no faster, and would change the last bits."""
PIXELS_AT_ONCE = AT_ONCE * 512**2
"""Maximum pixels per VAE call, unless a single image has more: bounds the memory."""

_FILES = {SCHEDULER: SCHEDULE}
"""Files of parts that have no `config.json`."""

B = TypeVar("B", bound="Backbone")


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
        pieces = torch.split(centred, choose_vae_batch(images.shape[-2] * images.shape[-1]))
        read = self.family.autoencoder
        latents = read.normalise(self.vae, torch.cat([read.encode(self.vae, piece) for piece in pieces]))
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
        read = self.family.autoencoder
        code = read.denormalise(self.vae, latents).to(self.device, self.vae.dtype)
        pixels = latents.shape[-2] * latents.shape[-1] * self.vae_factor**2
        pieces = torch.split(code, choose_vae_batch(pixels))
        return torch.cat([read.decode(self.vae, piece).float() for piece in pieces])

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
        self.require_negatives(scale, negatives or ())
        conditioning, empty = self.family.conditions(self.text, prompts, scale)
        given = {row: text for row, text in enumerate(negatives or ()) if text is not None}
        if empty is None or not given:
            return conditioning, empty
        rows = torch.tensor(list(given), device=self.device)
        negative = self.family.encode_negatives(self.text, list(given.values()))
        return conditioning, empty.with_rows(rows, negative)

    def require_negatives(self, scale: float, negatives: Iterable[str | None]) -> None:
        """Refuse negative prompts that nothing would read.

        Raises:
            LepbenchError: there is one, and no unconditional pass: guidance is distilled, or its scale is too
                low.
        """
        if not any(negatives):
            return
        if self.takes_scale:
            raise LepbenchError(f"{self.family.name} takes no negative prompt", "leave negative_prompt out")
        if scale <= self.family.unguided:
            raise LepbenchError(
                f"guidance_scale {scale} has no unconditional pass to read a negative prompt",
                f"give a scale above {self.family.unguided:g}, or leave negative_prompt out",
            )

    def find_cut(self, prompts: Sequence[str]) -> list[str]:
        """What no text encoder reads of each prompt, beyond its number of tokens; empty if all is read."""
        limits = self.family.token_limits(self.text)
        tails = [
            [self.family.find_tail(self.text, name, prompt, limit) for prompt in prompts]
            for name, limit in limits.items()
        ]
        return [min(found, key=len) for found in zip(*tails, strict=True)]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of its pictures should know of the components, a line each; empty for most."""
        parts = {self.family.denoiser: self.denoiser, "vae": self.vae, **self.text.encoders}
        found = [
            f"{part} is quantised by {method}"
            for part, network in parts.items()
            if (method := find_quantisation(read_config(network))) is not None
        ]
        kinds = list_class_names(self.vae)
        if self.family.components["vae"].split(".")[1] not in kinds:
            found.append(f"the VAE is an {kinds[0]}")
        if self.denoiser.config.get("time_cond_proj_dim") is not None:
            found.append("guidance is distilled: its scale is an input of the U-Net")
        if (self.text.index.get("safety_checker") or [None])[0] is not None:
            found.append("the safety checker of the pipeline was not run")
        return tuple(found)

    @cached_property
    def files_sha256(self) -> dict[str, str]:
        """SHA-256 of every file that affects a result, by its path in the model's folder; hashed once."""
        names = [INDEX, SCHEDULE]
        for part, kind in choose_classes(self.family, self.text.index).items():
            names += [f"{part}/{name}" for name in list_component_files(self.folder / part, kind)]
        for part in self.text.tokenizers:
            names += [f"{part}/{name}" for name in list_tokenizer_files(self.folder / part)]
        return {name: sha256_file(self.folder / name) for name in names}


def load_backbone(
    id_or_path: str | Path, device: str | torch.device = "cpu", precision: Precision = "float32"
) -> Backbone:
    """Load a diffusers pipeline folder for feature extraction and sampling, not for training.

    Only safetensors are read, in half precision if there is nothing else; no safety checker is loaded.

    Args:
        id_or_path: an embedded name (`mini@1`), a folder, or a hub id.
        device: a torch device, or `auto` for a GPU if there is one.
        precision: of all weights, except those of a VAE that needs float32.

    Raises:
        LepbenchError: it cannot be found or fetched, a file is missing or damaged, its layout is unknown, or
            it asks for an input that is not given (`checks.NEEDS`).
    """
    if str(id_or_path) in load_known() and not Path(id_or_path).is_dir():
        raise LepbenchError(
            f"{str(id_or_path)!r} is the short name of a released model, whose weights do not ship",
            "give its folder or its hub id 'owner/name'",
        )
    if precision not in get_args(Precision):
        raise LepbenchError(f"unknown precision {precision!r}", suggest_name(precision, get_args(Precision)))
    where, dtype = choose_device(device), getattr(torch, precision)
    index = read_index(find_pipeline(id_or_path, []))
    family = choose_family(index.get("_class_name"))
    components = choose_classes(family, index)
    tokenizers = list_present(family, family.tokenizers, index)
    folder = _fetch(id_or_path, components, tokenizers)
    configs = {part: load_config(folder / part, kind) for part, kind in components.items()}
    configs[SCHEDULER] = read_mapping(folder / SCHEDULE)
    check_pipeline(family, configs, lambda part: str(folder / _FILES.get(part, f"{part}/config.json")))
    parts: dict[str, Any] = {}
    for part, kind in components.items():
        # The VAE of SDXL overflows in half precision; its config has force_upcast.
        whole = part == "vae" and configs[part].get("force_upcast", True)
        parts[part] = load_component(folder / part, kind, torch.float32 if whole else dtype)
        place_component(parts[part], where, folder / part)
    return assemble_backbone(
        Backbone,
        name=str(id_or_path),
        folder=folder,
        family=family,
        components=parts,
        tokenizers={part: load_tokenizer(folder / part, kind) for part, kind in tokenizers.items()},
        index=index,
        scheduler=family.amend_schedule(configs[SCHEDULER]),
        device=where,
        dtype=dtype,
    )


def assemble_backbone(
    kind: type[B],
    *,
    name: str,
    folder: Path,
    family: Family,
    components: Mapping[str, Any],
    tokenizers: Mapping[str, Any],
    index: Mapping[str, Any],
    scheduler: Mapping[str, Any],
    device: torch.device,
    dtype: torch.dtype,
) -> B:
    """A backbone of loaded components, by folder; they are not changed.

    Raises:
        LepbenchError: the denoiser has other modules than its family taps.
    """
    encoders = {part: found for part, found in components.items() if part not in (family.denoiser, "vae")}
    denoiser = components[family.denoiser]
    text = TextParts(
        tokenizers=tokenizers,
        encoders=encoders,
        index=index,
        denoiser=denoiser.config,
        device=device,
        multi_vector=family.multi_vector,
    )
    taps = family.positions(denoiser.config)
    for tap in taps:
        find_module(denoiser, tap)
    return kind(
        name=name,
        folder=folder,
        family=family,
        denoiser=denoiser,
        vae=components["vae"],
        text=text,
        scheduler=scheduler,
        taps=taps,
        device=device,
        dtype=dtype,
    )


def choose_vae_batch(pixels: int) -> int:
    """Number of images with that many pixels per VAE call."""
    return min(AT_ONCE, max(1, PIXELS_AT_ONCE // pixels))


def _fetch(id_or_path: str | Path, components: Mapping[str, str], tokenizers: Mapping[str, str]) -> Path:
    """The folder with all files to load; half precision is downloaded only if there is no full precision."""
    patterns = [INDEX, "scheduler/*.json", *(f"{part}/*" for part in tokenizers)]
    for part, kind in components.items():
        patterns += list_weight_patterns(part, kind)
    folder = find_model_folder(id_or_path, patterns)
    lacking = {part: kind for part, kind in components.items() if not _has_weights(folder / part, kind)}
    if not lacking:
        return folder
    half = [list_weight_patterns(part, kind, VARIANTS[1]) for part, kind in lacking.items()]
    return find_model_folder(id_or_path, [pattern for patterns in half for pattern in patterns])


def _has_weights(folder: Path, kind: str) -> bool:
    try:
        find_weight_files(folder, kind)
    except LepbenchError:
        return False
    return True
