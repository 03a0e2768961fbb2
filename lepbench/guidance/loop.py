"""The state that all steps of one sampling run share, and the step without guidance."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from lepbench.errors import LepbenchError
from lepbench.guidance.classifier_free import ClassifierFreeGuidance
from lepbench.guidance.generators import Generators
from lepbench.guidance.renoise import renoise_latents
from lepbench.guidance.schedulers import choose_step_options, measure_input_scale, scale_model_input


class DenoisingLoop:
    """Components, captions and scheduler of a run.

    Args:
        predictions: of every step, under classifier-free guidance.
        scheduler: of diffusers, its timesteps set.
    """

    def __init__(
        self,
        predictions: ClassifierFreeGuidance,
        scheduler: Any,
        generators: Generators,
    ) -> None:
        self.predictions = predictions
        self.backbone = predictions.backbone
        self.scheduler = scheduler
        self.timesteps = scheduler.timesteps
        self.marks: dict[int, Any] = {}
        self.generators = list(generators) if isinstance(generators, Sequence) else generators
        self.extra = choose_step_options(scheduler, self.generators)

    def time(self, index: int) -> float:
        """t / T_train of a step."""
        return float(self.timesteps[index]) / self.backbone.train_timesteps

    def read_input(self, latents: Tensor, index: int) -> Tensor:
        """The latents `[B, C, h, w]` as the denoiser reads them at a step."""
        return scale_model_input(self.scheduler, latents, self.timesteps[index])

    def input_scale(self, index: int) -> float:
        """The factor from the scheduler's sample to what the denoiser reads (`measure_input_scale`)."""
        return measure_input_scale(self.scheduler, self.timesteps[index])

    def step(self, latents: Tensor, index: int) -> Tensor:
        """z_t to z_{t-1}."""
        prediction = self.predictions.predict(self.read_input(latents, index), self.timesteps[index], index)
        return self.advance(prediction, latents, index)

    def advance(self, prediction: Tensor, latents: Tensor, index: int) -> Tensor:
        """The scheduler's step from z_t to z_{t-1} with a prediction of the denoiser."""
        timestep = self.timesteps[index]
        after: Tensor = self.scheduler.step(prediction, timestep, latents, **self.extra, return_dict=False)[0]
        return after

    def mark(self, index: int) -> None:
        """Save the scheduler's state before a step, to return to it.

        Raises:
            LepbenchError: it steps from a stored sample, and would ignore the added noise.
        """
        if hasattr(self.scheduler, "cur_sample"):
            raise LepbenchError(
                f"{type(self.scheduler).__name__} cannot repeat steps, as 'travel' needs",
                "choose another scheduler, or leave 'travel' out",
            )
        self.marks[index] = copy.deepcopy(self.scheduler)

    def go_back(self, latents: Tensor, now: int, then: int) -> Tensor:
        """The sample before step `now`, with noise added up to the marked step `then`."""
        from diffusers.utils.torch_utils import randn_tensor

        noise = randn_tensor(latents.shape, generator=self.generators, device=latents.device)
        z = latents * self.input_scale(now)
        self.scheduler = copy.deepcopy(self.marks[then])
        noisy = renoise_latents(
            self.backbone, z, now=self.timesteps[now], then=self.timesteps[then], noise=noise
        )
        return noisy / self.input_scale(then)
