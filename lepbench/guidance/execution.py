"""How a denoiser is run: precision, memory layout, checkpoints, compiled blocks."""

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
    "FluxSingleTransformerBlock",
    "FluxTransformerBlock",
    "JointTransformerBlock",
    "ResnetBlock2D",
)
"""Blocks of diffusers that repeat in a denoiser: one is compiled and all gain."""

FORMS = 256
"""How often one block's code may be compiled: for every width, batch and mode, a few times over."""


class Execution(Config):
    """What is traded for time or memory; by default nothing.

    Attributes:
        dtype: precision of the denoiser; None leaves it. Predictor, loss and scheduler stay in float32, and a
            gradient through float16 is scaled (`gradient.HALF_SCALES`).
        checkpointing: compute activations anew on the way back instead of keeping them.
        channels_last: convolutions over channels-last weights.
        compiled: repeated blocks go through torch.compile; the first steps are slow.
    """

    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    checkpointing: bool = False
    channels_last: bool = False
    compiled: bool = False

    def prepare(self, backbone: Backbone) -> Backbone:
        """The backbone as it is to be run; the one given stays as it was.

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
    """A memo by which `copy.deepcopy` takes a network's tensors as they are."""
    return {id(tensor): tensor for tensor in chain(network.parameters(), network.buffers())}


def compile_blocks(network: nn.Module) -> None:
    """Compile the `forward` of every repeated block: hooks run around it, and may come and go."""
    from torch._dynamo import config

    for module in network.modules():
        if type(module).__name__ in COMPILED:
            # All blocks of a class share one cache. Beyond its limit, 8 by default and named so in every
            # torch, they would run uncompiled.
            roomy = config.patch(cache_size_limit=FORMS)
            # No method of the class: of this module alone.
            module.forward = roomy(torch.compile(module.forward))
