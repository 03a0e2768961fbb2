"""Execution options of a denoiser: precision, memory layout, checkpointing, compiled blocks."""

from __future__ import annotations

import copy
import dataclasses
from itertools import chain
from typing import Any, Literal

import torch
from torch import nn

from lepbench.backbones.backbone import Backbone
from lepbench.config import Config

COMPILED = (
    "BasicTransformerBlock",
    "Flux2SingleTransformerBlock",
    "Flux2TransformerBlock",
    "FluxSingleTransformerBlock",
    "FluxTransformerBlock",
    "JointTransformerBlock",
    "QwenImageTransformerBlock",
    "ResnetBlock2D",
    "SanaTransformerBlock",
    "ZImageTransformerBlock",
)
"""Repeated diffusers blocks of a denoiser, for regional compilation."""

FORMS = 256
"""Limit of recompilations of one block class, for all widths, batches and modes."""


class Execution(Config):
    """Options that save time or memory; all off by default.

    Attributes:
        dtype: precision of the denoiser; None leaves it. Predictor, loss and scheduler stay in float32, and a
            gradient through float16 is scaled (`gradient.HALF_SCALES`).
        checkpointing: recompute activations in the backward pass instead of keeping them.
        channels_last: convolutions over channels-last weights.
        compiled: repeated blocks go through torch.compile; the first steps are slow.
    """

    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    checkpointing: bool = False
    channels_last: bool = False
    compiled: bool = False

    def prepare(self, backbone: Backbone) -> Backbone:
        """The backbone with these options applied; the given one is unchanged.

        Weights are shared with it unless they are converted.
        """
        if self == Execution():
            return backbone
        dtype = backbone.dtype if self.dtype is None else getattr(torch, self.dtype)
        converted = self.channels_last or dtype != backbone.dtype
        denoiser: Any = copy.deepcopy(
            backbone.denoiser, {} if converted else share_tensors(backbone.denoiser)
        )
        if converted:
            layout = torch.channels_last if self.channels_last else torch.preserve_format
            denoiser.to(dtype=dtype, memory_format=layout)
        if self.checkpointing:
            denoiser.enable_gradient_checkpointing()
        if self.compiled:
            compile_blocks(denoiser)
        return dataclasses.replace(backbone, denoiser=denoiser, dtype=dtype)


def share_tensors(network: nn.Module) -> dict[int, Any]:
    """A memo with which `copy.deepcopy` shares a network's tensors."""
    return {id(tensor): tensor for tensor in chain(network.parameters(), network.buffers())}


def compile_blocks(network: nn.Module) -> None:
    """Compile the `forward` of every repeated block; hooks run outside of it and may change."""
    from torch._dynamo import config

    for module in network.modules():
        if type(module).__name__ in COMPILED:
            # All blocks of a class share one cache. Beyond its limit, 8 by default under this name in every
            # torch, they would run uncompiled.
            roomy = config.patch(cache_size_limit=FORMS)
            # Set on this module only, not on its class.
            module.forward = roomy(torch.compile(module.forward))
