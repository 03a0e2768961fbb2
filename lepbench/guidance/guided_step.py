"""A guided step: where the gradient of the sketch loss is computed, scaled and applied."""

from __future__ import annotations

import torch
from torch import Tensor

from lepbench.guidance.gradient import GuidanceStep
from lepbench.guidance.loop import DenoisingLoop
from lepbench.guidance.schedulers import shift_sample
from lepbench.guidance.steering import Guidance


class GuidedSteps:
    """The guided steps of one sampling run; what one step leaves to the next is kept here.

    Lengths are measured in the space the denoiser reads, so that `Guidance.scale` means the same for
    schedulers that step in sigma space.

    Attributes:
        edges: the encoded edge maps predicted at the last step, `[B, C, h, w]`; None where there are none.
    """

    def __init__(self, loop: DenoisingLoop, guidance: Guidance) -> None:
        self.loop = loop
        self.guidance = guidance
        self.edges: Tensor | None = None

    def step(self, latents: Tensor, index: int) -> Tensor:
        """z_t to z_{t-1}, then the guidance updates of this step: the updated sample."""
        z = self.loop.read_input(latents, index)
        computed = self.compute_gradient(z, index)
        after = self.loop.advance(self.guide_prediction(computed.output, z, index), latents, index)
        # Read once: the scale is that of the sample just made, which further updates start from, too.
        factor = self.loop.input_scale(index)
        length = self.measure_length(after * factor - z, index)
        after = self.apply_gradient(after, computed.gradient, length, factor)
        for _ in range(self.guidance.schedule.shifts(self.loop.time(index)) - 1):
            if index + 1 == len(self.loop.timesteps):
                break
            # The sample is at the next timestep now, so the gradient is computed there.
            computed = self.compute_gradient(after * factor, index + 1)
            after = self.apply_gradient(after, computed.gradient, length, factor)
        self.edges = computed.edges
        return after

    def compute_gradient(self, z: Tensor, index: int) -> GuidanceStep:
        """The conditional pass at `z`, as the denoiser reads it: its prediction, edges and gradient."""
        return self.guidance.step(self.loop.backbone, z, self.loop.timesteps[index], self.loop.conditioning)

    def guide_prediction(self, conditional: Tensor, z: Tensor, index: int) -> Tensor:
        """The prediction under classifier-free guidance; the unconditional pass keeps no graph."""
        loop = self.loop
        if loop.empty is None:
            return conditional
        without = loop.backbone.predict(z, loop.timesteps[index], loop.empty)
        return loop.backbone.family.guide(conditional, without, loop.cfg)

    def measure_length(self, move: Tensor, index: int) -> Tensor:
        """The length `[B, 1, 1, 1]` of an update, relative to the `move` of the denoising step."""
        guidance = self.guidance
        strength = guidance.scale * guidance.schedule.strength(self.loop.time(index), guidance.stop)
        return strength * _length(move)

    def apply_gradient(self, sample: Tensor, gradient: Tensor, length: Tensor, factor: float) -> Tensor:
        """The scheduler's sample, moved against the gradient.

        Args:
            length: `[B, 1, 1, 1]`, of the move, in the space the denoiser reads.
            factor: from the scheduler's sample to that space.
        """
        return shift_sample(self.loop.scheduler, sample, length * _direction(gradient) / factor)


def _length(batch: Tensor) -> Tensor:
    """Euclidean norm of every sample, `[B, 1, 1, 1]`."""
    length: Tensor = torch.linalg.vector_norm(batch, dim=(1, 2, 3), keepdim=True)
    return length


def _direction(batch: Tensor) -> Tensor:
    """Every sample divided by its norm; zeros stay zero."""
    return batch / _length(batch).clamp_min(torch.finfo(batch.dtype).tiny)
