"""Base class of pipeline families: properties and pure functions of one pipeline class, no weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from lepbench.backbones.autoencoder import Autoencoder
from lepbench.backbones.conditioning import Conditioning
from lepbench.errors import LepbenchError
from lepbench.quiet import silence_libraries
from lepbench.registry import Registry

ComponentConfig = Mapping[str, Any]
"""A component's config, as diffusers writes it to `config.json`."""

Size = tuple[int, int]
"""Height and width."""


@dataclass(frozen=True, eq=False)
class TextParts:
    """Tokenizers and text encoders of a pipeline.

    Attributes:
        tokenizers, encoders: by their folders' names; an optional one may be missing.
        index: the pipeline's `model_index.json`.
        denoiser: the denoiser's config.
        device: of the encoders.
        multi_vector: whether a learnt token stands for all its vectors (textual inversion).
    """

    tokenizers: Mapping[str, Any]
    encoders: Mapping[str, Any]
    index: ComponentConfig
    denoiser: ComponentConfig
    device: torch.device
    multi_vector: bool = False

    def tokens(self, tokenizer: str, prompts: Sequence[str], length: int, **options: Any) -> Any:
        """Token ids and mask `[B, length]`: padded, or truncated with the end token kept.

        Args:
            options: of the tokenizer's call, in place of these.
        """
        texts = [self._write_out(prompt, tokenizer) for prompt in prompts]
        usual = {"padding": "max_length", "max_length": length, "truncation": True, "return_tensors": "pt"}
        return self.tokenizers[tokenizer](texts, **usual | options).to(self.device)

    def find_tail(self, tokenizer: str, prompt: str, length: int) -> str:
        """What is cut off a prompt of more than `length` tokens; empty if nothing is."""
        reader = self.tokenizers[tokenizer]
        ids = reader(self._write_out(prompt, tokenizer), verbose=False).input_ids
        if len(ids) <= length:
            return ""
        # Truncation keeps an end token; tokenizers of language models have none.
        ends = int(ids[-1] in reader.all_special_ids)
        return str(reader.decode(ids[length - ends : len(ids) - ends])).strip()

    def _write_out(self, prompt: str, tokenizer: str) -> str:
        """The prompt with all tokens of a learnt word of several vectors, as diffusers writes it."""
        if not self.multi_vector:
            return prompt
        from diffusers.loaders import TextualInversionLoaderMixin

        # It splits the whole prompt into tokens, and transformers warns of long ones.
        with silence_libraries():
            written: str = TextualInversionLoaderMixin().maybe_convert_prompt(
                prompt, self.tokenizers[tokenizer]
            )
        return written


class Family(ABC):
    """One pipeline class of diffusers.

    Attributes:
        name: short, for tables.
        denoiser: folder of the network that denoises.
        components: folder -> class, the denoiser, the VAE and the text encoders.
        tokenizers: folder -> class.
        optional: folders a pipeline may leave out.
        flow: whether `z_t = (1 - s) z + s eps` with `s = t / T_train` (rectified flow) instead of a schedule
            of variances.
        member: index of the image tokens in a tapped block's output tuple.
        multi_vector: whether the pipeline writes out learnt words of several vectors.
        autoencoder: how the pipeline reads its VAE.
        unguided: the guidance scale up to which there is no unconditional pass.
        scale_name: what the pipeline calls the guidance scale.
        needs_negative: whether the pipeline guides only beside a negative prompt.
        keeps_tables: whether the denoiser keeps tensors for later passes, which then must not be made in
            inference mode: they could not be part of a graph.
        usual_side: side of the latents the pipeline takes where the denoiser's config has none.
    """

    name: ClassVar[str]
    denoiser: ClassVar[str]
    components: ClassVar[Mapping[str, str]]
    tokenizers: ClassVar[Mapping[str, str]]
    optional: ClassVar[frozenset[str]] = frozenset()
    flow: ClassVar[bool] = False
    member: ClassVar[int] = 0
    multi_vector: ClassVar[bool] = False
    autoencoder: ClassVar[Autoencoder] = Autoencoder()
    unguided: ClassVar[float] = 1.0
    scale_name: ClassVar[str] = "guidance_scale"
    needs_negative: ClassVar[bool] = False
    keeps_tables: ClassVar[bool] = False
    usual_side: ClassVar[int | None] = None

    @abstractmethod
    def positions(self, config: ComponentConfig) -> tuple[str, ...]:
        """The tapped positions of a denoiser of this config, in the order they are concatenated.

        Raises:
            LepbenchError: no positions are known for it.
        """

    @abstractmethod
    def encode(self, text: TextParts, prompts: Sequence[str]) -> Conditioning:
        """Encode captions for the denoiser."""

    def token_limits(self, text: TextParts) -> dict[str, int]:
        """The number of tokens each tokenizer's encoder reads; what no encoder reads of a caption is cut."""
        return {name: min(_limits(text, name, tokenizer)) for name, tokenizer in text.tokenizers.items()}

    def find_tail(self, text: TextParts, tokenizer: str, prompt: str, limit: int) -> str:
        """What is cut off a prompt by a tokenizer whose encoder reads `limit` tokens; empty if nothing is."""
        return text.find_tail(tokenizer, self.normalise_prompt(prompt), limit)

    def normalise_prompt(self, prompt: str) -> str:
        """A caption as the pipeline hands it to its tokenizers."""
        return prompt

    def text_widths(self, configs: Mapping[str, ComponentConfig]) -> dict[str, int]:
        """Width of each tensor of `encode`, from the text encoders' configs; checked against `blank`."""
        return {}

    @abstractmethod
    def run(
        self,
        denoiser: nn.Module,
        latents: Tensor,
        timesteps: Tensor,
        conditioning: Conditioning,
        pixels: Size,
    ) -> Tensor:
        """One pass: the prediction `[B, C, h, w]` for latents of that shape and timesteps `[B]`.

        Args:
            pixels: image size of the latents.
        """

    @abstractmethod
    def blank(self, config: ComponentConfig) -> Conditioning:
        """Placeholder conditioning of one sample, with the right shapes."""

    def encode_negatives(self, text: TextParts, prompts: Sequence[str]) -> Conditioning:
        """Encode texts for the unconditional half of classifier-free guidance."""
        return self.encode(text, prompts)

    def uncaptioned(self, text: TextParts) -> Conditioning:
        """The unconditional embeddings for classifier-free guidance, one sample."""
        return self.encode_negatives(text, [""])

    def takes_scale(self, config: ComponentConfig, index: ComponentConfig) -> bool:
        """Whether guidance is distilled, and there is no unconditional pass at any scale.

        Args:
            config: of the denoiser, to which the scale may be an input.
            index: the pipeline's `model_index.json`.
        """
        return False

    def conditions(
        self, text: TextParts, prompts: Sequence[str], scale: float
    ) -> tuple[Conditioning, Conditioning | None]:
        """Conditional and unconditional embeddings; the latter None up to the scale `unguided`."""
        conditioning = self.encode(text, prompts)
        guided = scale > self.unguided
        return conditioning, self.uncaptioned(text).expand(len(conditioning)) if guided else None

    def guide(self, conditional: Tensor, unconditional: Tensor, scale: float) -> Tensor:
        """The prediction of classifier-free guidance, from those of its halves, `[B, C, h, w]` each."""
        return unconditional + scale * (conditional - unconditional)

    def amend_schedule(self, config: ComponentConfig) -> dict[str, Any]:
        """The scheduler config of a folder as the pipeline uses it."""
        return dict(config)

    def schedule(self, scheduler: Any, steps: int, latent: Size) -> dict[str, Any]:
        """Arguments of the scheduler's `set_timesteps` for latents of that size."""
        return {"num_inference_steps": steps}

    def fold(self, output: Any, latent: Size, config: ComponentConfig) -> Tensor:
        """The output of a tapped module as a map `[B, channels, height, width]`."""
        tensor: Tensor = output[self.member] if isinstance(output, tuple) else output
        return tensor

    @abstractmethod
    def size_multiple(self, config: ComponentConfig) -> int:
        """Both sides of a latent must be multiples of this number of latent pixels."""

    def most(self, config: ComponentConfig) -> int | None:
        """Maximum side in latent pixels; None if there is no limit."""
        return None

    def latent_channels(self, config: ComponentConfig) -> int:
        """Channels of the latents."""
        return int(config["in_channels"])

    def latent_size(self, config: ComponentConfig) -> Size | None:
        """Height and width of the latents the model was trained on; None if nothing says."""
        side = config.get("sample_size") or self.usual_side
        if side is None:
            return None
        height, width = (side, side) if isinstance(side, int) else side
        return int(height), int(width)

    def latent_side(self, config: ComponentConfig) -> int:
        """The shorter side of these latents; 64 if nothing says."""
        return min(self.latent_size(config) or (64, 64))


def _limits(text: TextParts, name: str, tokenizer: Any) -> list[int]:
    """What a tokenizer and its encoder say of the length; a tokenizer without a config says 1e30."""
    config = getattr(text.encoders.get(name.replace("tokenizer", "text_encoder")), "config", None)
    most = getattr(config, "max_position_embeddings", None)
    return [int(tokenizer.model_max_length), *([] if most is None else [int(most)])]


def list_present(family: Family, parts: Mapping[str, str], index: ComponentConfig) -> dict[str, str]:
    """The components of a pipeline: those of its family, except optional ones that are null in its index."""
    absent = {part for part in family.optional if index.get(part) in (None, [None, None], (None, None))}
    return {part: kind for part, kind in parts.items() if part not in absent}


def choose_classes(family: Family, index: ComponentConfig) -> dict[str, str]:
    """The class of every component present, as `library.Class`: the one its `model_index.json` names.

    Raises:
        LepbenchError: it names a class that does not take the place of the family's.
    """
    chosen = list_present(family, family.components, index)
    for part, kind in chosen.items():
        entry = index.get(part)
        named = entry[-1] if isinstance(entry, list | tuple) and entry else None
        if named is not None:
            chosen[part] = choose_class(part, kind, str(named))
    return chosen


def choose_class(part: str, kind: str, named: str) -> str:
    """The class that reads a component: the family's `kind`, or the one named if it takes its place.

    Raises:
        LepbenchError: it does not.
    """
    library, accepted = kind.split(".")[0], list_accepted(kind)
    if named not in accepted:
        raise LepbenchError(
            f"the pipeline has a {named} as its {part}, which is not read here",
            f"use a model whose {part} is one of: {', '.join(accepted)}",
        )
    return f"{library}.{accepted[named]}"


def list_accepted(kind: str) -> Mapping[str, str]:
    """The class names that take the place of `library.Class`, and by each the class that reads it."""
    usual = kind.split(".")[-1]
    return INTERCHANGEABLE.get(usual, {usual: usual})


INTERCHANGEABLE = {
    "AutoencoderKL": {name: name for name in ("AutoencoderKL", "AutoencoderTiny", "AsymmetricAutoencoderKL")},
    # How PixArt was saved before diffusers gave it a class.
    "PixArtTransformer2DModel": dict.fromkeys(
        ("PixArtTransformer2DModel", "Transformer2DModel"), "PixArtTransformer2DModel"
    ),
}
"""By a family's class, the classes that take its place, and the class that reads them."""

FAMILIES: Registry[Family] = Registry("pipeline class")
"""Families by the `_class_name` of `model_index.json`."""
