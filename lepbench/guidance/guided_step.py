"""A guided step: where the gradient of the sketch loss is computed, scaled and applied."""

from __future__ import annotations

import torch
from torch import Tensor

from lepbench.guidance.loop import DenoisingLoop
from lepbench.guidance.schedulers import shift_sample
from lepbench.guidance.steering import Guidance


class GuidedSteps:
    """The guided steps of one sampling run; what one step leaves to the next is kept here.

    Lengths are measured in the space the denoiser reads, so that `Guidance.scale` means the same for
    schedulers that step in sigma space.

    Attributes:
        gradient: the last one, `[B, C, h, w]`; None before the first.
        edges: the encoded edge maps predicted with it, `[B, C, h, w]`; None where there are none.
    """

    def __init__(self, loop: DenoisingLoop, guidance: Guidance) -> None:
        self.loop = loop
        self.guidance = guidance
        self.edges: Tensor | None = None
        self.gradient: Tensor | None = None

    def step(self, latents: Tensor, index: int) -> Tensor:
        """z_t to z_{t-1}, then the guidance updates of this step: the updated sample."""
        z, timestep, schedule = (
            self.loop.read_input(latents, index),
            self.loop.timesteps[index],
            self.guidance.schedule,
        )
        fresh = self.gradient is None or index % schedule.every == 0
        if fresh:
            output = self.compute_gradient(z, index)
            assert output is not None
            prediction = self.loop.predictions.complete(output, z, timestep, index)
        else:
            prediction = self.loop.predictions.predict(z, timestep, index)
        after = self.loop.advance(prediction, latents, index)
        # Read once: the scale is that of the sample just made, which further updates start from, too.
        factor = self.loop.input_scale(index)
        length = self.measure_length(after * factor - z, index)
        after = self.apply_gradient(after, length, factor)
        for _ in range(schedule.shifts(self.loop.time(index)) - 1):
            if not fresh or index + 1 == len(self.loop.timesteps):
                break
            # The sample is at the next timestep now, so the gradient is computed there.
            self.compute_gradient(after * factor, index + 1, needs_output=False)
            after = self.apply_gradient(after, length, factor)
        return after

    def compute_gradient(self, z: Tensor, index: int, needs_output: bool = True) -> Tensor | None:
        """The conditional pass at `z`, as the denoiser reads it: its prediction, where that is needed.

        Edges and gradient stay.
        """
        loop = self.loop
        computed = self.guidance.step(
            loop.backbone,
            z,
            loop.timesteps[index],
            loop.predictions.conditioning,
            needs_output=needs_output,
        )
        self.edges, self.gradient = computed.edges, computed.gradient
        return computed.output

    def measure_length(self, move: Tensor, index: int) -> Tensor:
        """The length `[B, 1, 1, 1]` of an update, relative to the `move` of the denoising step."""
        guidance = self.guidance
        strength = guidance.scale * guidance.schedule.strength(self.loop.time(index), guidance.stop)
        return strength * _length(move)

    def apply_gradient(self, sample: Tensor, length: Tensor, factor: float) -> Tensor:
        """The scheduler's sample, moved against the last gradient.

        Args:
            length: `[B, 1, 1, 1]`, of the move, in the space the denoiser reads.
            factor: from the scheduler's sample to that space.
        """
        assert self.gradient is not None
        return shift_sample(self.loop.scheduler, sample, length * _direction(self.gradient) / factor)


def _length(batch: Tensor) -> Tensor:
    """Euclidean norm of every sample, `[B, 1, 1, 1]`."""
    length: Tensor = torch.linalg.vector_norm(batch, dim=(1, 2, 3), keepdim=True)
    return length


def _direction(batch: Tensor) -> Tensor:
    """Every sample divided by its norm; zeros stay zero."""
    return batch / _length(batch).clamp_min(torch.finfo(batch.dtype).tiny)
