"""Floating point operations of a method's picture, from one pass of each kind."""

from __future__ import annotations

from typing import NamedTuple

import torch

from lepbench.backbones.cost import Passes, count_flops, count_pass_flops
from lepbench.methods.base import Method, Request
from lepbench.methods.steered import SteeredMethod
from lepbench.methods.unguided import Unguided

TERA = 1e12


class PictureFlops(NamedTuple):
    """Floating point operations of the parts of a picture.

    Attributes:
        plain: of a pass of the denoiser.
        steered: of a pass that is steered, with predictor or decoder, loss and backward pass.
        once: of the text encoders, the encoded sketch and the decoded picture.
    """

    plain: int
    steered: int
    once: int

    def per_picture(self, passes: Passes, pictures: int) -> float:
        """TFLOP a picture, where so many took these passes."""
        return self.of_passes(passes.plain / pictures, passes.steered / pictures)

    def of_passes(self, plain: float, steered: float) -> float:
        """TFLOP of a picture that takes so many passes on average."""
        return (plain * self.plain + steered * self.steered + self.once) / TERA


def measure_picture_flops(method: Method, request: Request) -> PictureFlops | None:
    """Count the operations of one pass of each kind at a request's size; no picture is drawn.

    Its time is that of about three passes and a decoding, a few times longer for the counting: at most one
    picture of twenty steps. No random number is drawn.

    Returns:
        None for a method of which this is not known: it draws by other code than the sampler's.
    """
    if not isinstance(method, SteeredMethod | Unguided):
        return None
    backbone, size = method.backbone, (request.sketch.shape[0], request.sketch.shape[1])
    latents = torch.zeros(1, *backbone.latent_shape(size), device=backbone.device)
    once = count_flops(lambda: backbone.conditions([request.prompt], method.sampler.guidance_scale))
    once += count_flops(lambda: backbone.decode_latents(latents))
    if isinstance(method, Unguided):
        return PictureFlops(count_pass_flops(backbone, size), 0, once)
    once += count_flops(lambda: method.guide([request]))
    guidance, conditioning = method.guide([request]), backbone.encode_prompts([request.prompt])
    timestep = torch.tensor(backbone.train_timesteps - 1, device=backbone.device)
    steered = count_flops(lambda: guidance.step(backbone, latents, timestep, conditioning))
    return PictureFlops(count_pass_flops(backbone, size), steered, once)
