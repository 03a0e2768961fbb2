"""A loaded diffusers pipeline as a backbone; its components are shared and left unchanged."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lepbench.backbones.backbone import Backbone
from lepbench.backbones.conditioning import Conditioning
from lepbench.backbones.families import FAMILIES
from lepbench.backbones.family import TextParts
from lepbench.errors import LepbenchError
from lepbench.predictors.base import Predictor


@dataclass(frozen=True, eq=False)
class DiffusersBackbone(Backbone):
    """The components of a pipeline, whose weights may be offloaded.

    Attributes:
        negative: one negative prompt per prompt; None for the family's unconditional embeddings.
    """

    negative: tuple[str, ...] | None = None

    def conditions(self, prompts: Sequence[str], scale: float) -> tuple[Conditioning, Conditioning | None]:
        """As `Backbone.conditions`.

        Raises:
            LepbenchError: there is a negative prompt, and the family takes none.
        """
        conditioning, usual = super().conditions(prompts, scale)
        if self.negative is None or scale <= 1:
            return conditioning, usual
        if usual is None:
            raise LepbenchError(f"{self.family.name} takes no negative prompt", "leave negative_prompt out")
        return conditioning, self.encode_prompts(self.negative)

    def predict(self, latents: Tensor, timesteps: Tensor | int | float, conditioning: Conditioning) -> Tensor:
        """As `Backbone.predict`."""
        if self.denoiser.device == self.device:
            return super().predict(latents, timesteps, conditioning)
        # Weights loaded in inference mode could not be part of a graph later.
        with torch.no_grad():
            return self._run(latents, timesteps, conditioning).to(latents.dtype)


def wrap_pipeline(pipe: Any) -> DiffusersBackbone:
    """A loaded pipeline's components as a backbone, shared and not changed.

    Raises:
        LepbenchError: the pipeline's class or denoiser is of no known kind.
    """
    if isinstance(pipe, str | Path):
        raise LepbenchError(
            f"{str(pipe)!r} is no loaded pipeline", "write SketchGuidedPipeline.from_pretrained(...)"
        )
    family = FAMILIES.get(type(pipe).__name__)
    present = {name: part for name, part in pipe.components.items() if part is not None}
    denoiser, vae = present[family.denoiser], present["vae"]
    # An offloaded pipeline runs on another device than that of its weights.
    device = pipe._execution_device
    return DiffusersBackbone(
        name=str(getattr(pipe, "name_or_path", None) or type(pipe).__name__),
        folder=Path(str(getattr(pipe, "name_or_path", None) or ".")),
        family=family,
        denoiser=denoiser,
        vae=vae,
        text=TextParts(
            tokenizers={name: present[name] for name in family.tokenizers if name in present},
            encoders={
                name: present[name]
                for name in family.components
                if name in present and name not in (family.denoiser, "vae")
            },
            index=dict(pipe.config),
            denoiser=denoiser.config,
            device=device,
        ),
        scheduler=dict(pipe.scheduler.config),
        taps=family.positions(denoiser.config),
        device=device,
        dtype=denoiser.dtype,
    )


def place_predictor(predictor: Predictor, device: torch.device) -> Predictor:
    """The predictor itself if it is on that device, or else a copy there."""
    if all(parameter.device == device for parameter in predictor.parameters()):
        return predictor
    return copy.deepcopy(predictor).to(device)


@contextmanager
def freeze_networks(networks: Sequence[nn.Module]) -> Iterator[None]:
    """Context in which networks are in eval mode and no parameter requires a gradient."""
    modes = [(module, module.training) for network in networks for module in network.modules()]
    wants = [(p, p.requires_grad) for network in networks for p in network.parameters()]
    try:
        for network in networks:
            network.requires_grad_(False).eval()
        yield
    finally:
        for module, training in modes:
            module.training = training
        for parameter, wanted in wants:
            parameter.requires_grad_(wanted)


@contextmanager
def run_in_full(vae: Any) -> Iterator[None]:
    """Context in which a VAE with `force_upcast` runs in float32.

    Nothing is lost on the way there and back, and no second copy is kept.
    """
    overflows = vae.dtype == torch.float16 and vae.config.force_upcast
    try:
        if overflows:
            vae.to(torch.float32)
        yield
    finally:
        if overflows:
            vae.to(torch.float16)
