"""Guidance without a trained predictor, by the edges of the predicted clean image."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from lepbench.backbones.backbone import Backbone
from lepbench.backbones.conditioning import Conditioning
from lepbench.detectors.sobel import blur, gaussian, gradients
from lepbench.errors import LepbenchError
from lepbench.guidance.gradient import GuidanceStep, compute_gradient
from lepbench.guidance.guidance_schedule import GuidanceSchedule
from lepbench.predictors.noise import clean_latents

FINE = 0.7
"""Sigma in px of the blur before the derivatives, as in the detector `sobel`."""
FLAT = 1e-6
"""Added under the square root, whose gradient is infinite where an image is flat."""


@dataclass(frozen=True)
class CleanGuidance:
    """Guidance by the distance in pixels between the edges of the predicted clean image and the sketch.

    Each conditional pass predicts the clean latent; the VAE decodes it, and its blurred Sobel magnitude is
    compared with the blurred sketch. The gradient passes through the decoder and the whole denoiser.

    Attributes:
        strokes: bool `[B, H, W]`, the sketches at the pictures' size.
        scale, stop, schedule: as for every `Guidance`.
        softness: sigma in px of the blur of both maps.
        weights: float `[B, H, W]` from 0 up, how much the sketch matters at each pixel; None: the same.
    """

    strokes: Tensor
    scale: float = 1.6
    stop: float = 0.5
    softness: float = 1.0
    weights: Tensor | None = None
    schedule: GuidanceSchedule = field(default_factory=GuidanceSchedule)

    def step(
        self,
        backbone: Backbone,
        z: Tensor,
        timestep: Tensor,
        conditioning: Conditioning,
        needs_output: bool = True,
    ) -> GuidanceStep:
        """The gradient of `edge_distance` by z, of a whole pass. No edges in latent units are predicted."""
        with torch.enable_grad():
            leaf = z.detach().clone().requires_grad_()
            output, _ = backbone.read(leaf, timestep, conditioning, ())
            foreseen = clean_latents(
                backbone.scheduler, output, noisy=leaf, timesteps=timestep, flow=backbone.family.flow
            )
            pictures = backbone.decode(foreseen) / 2 + 0.5
            loss = edge_distance(pictures, self.strokes, self.softness, self.weights).sum()
            half = torch.float16 in (backbone.dtype, backbone.vae.dtype)
            gradient = compute_gradient(loss, leaf, half)
        return GuidanceStep(output.detach(), None, gradient)

    def check(self, noise: Tensor) -> None:
        """As `Guidance.check`; the image size is checked when an image is decoded."""
        for name, maps in (("sketches", self.strokes), ("sketch weights", self.weights)):
            if maps is not None and (maps.ndim != 3 or len(maps) != len(noise)):
                raise LepbenchError(
                    f"{name} {tuple(maps.shape)} for noise {tuple(noise.shape)}", "give one map a sample"
                )


def edge_distance(
    pictures: Tensor, strokes: Tensor, softness: float, weights: Tensor | None = None
) -> Tensor:
    """1 minus the cosine similarity between the images' edges and the sketches, `[B]` in [0, 1].

    It is independent of contrast and requires edges on the strokes and nowhere else.

    Args:
        pictures: float `[B, 3, H, W]` in [0, 1], or somewhat beyond.
        strokes: bool `[B, H, W]`.
        softness: sigma in px of the blur of both.
        weights: float `[B, H, W]` from 0 up.
    """
    across, down = gradients(blur(pictures, gaussian(FINE)))
    strength = ((across.square() + down.square()).amax(1, keepdim=True) + FLAT).sqrt()
    kernel = gaussian(softness)
    drawn, wanted = (blur(maps, kernel).flatten(1) for maps in (strength, strokes.unsqueeze(1).to(strength)))
    if weights is not None:
        root = weights.to(strength).flatten(1).sqrt()
        drawn, wanted = drawn * root, wanted * root
    return 1 - F.cosine_similarity(drawn, wanted, dim=1)
