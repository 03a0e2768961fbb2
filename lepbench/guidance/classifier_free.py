"""Classifier-free guidance over the denoising steps: where its unconditional pass is computed."""

from __future__ import annotations

import torch
from torch import Tensor

from lepbench.backbones.backbone import Backbone
from lepbench.backbones.conditioning import Conditioning
from lepbench.guidance.settings import SamplerSettings


class ClassifierFreeGuidance:
    """Predictions of a step; the unconditional pass is left out where the settings say so.

    Attributes:
        conditioning: of the conditional pass.
        empty: of the unconditional pass; None where there is none.
    """

    def __init__(
        self,
        backbone: Backbone,
        conditions: tuple[Conditioning, Conditioning | None],
        settings: SamplerSettings,
    ) -> None:
        self.backbone = backbone
        self.conditioning, self.empty = conditions
        self.settings = settings
        self.difference: Tensor | None = None
        """The conditional prediction less the unconditional, of the last step that had both."""

    def predict(self, z: Tensor, timestep: Tensor, index: int) -> Tensor:
        """The guided prediction at `z [B, C, h, w]`; passes of one step are one batch."""
        if self.empty is None or not self._reads_both(timestep, index):
            return self.complete(self.backbone.predict(z, timestep, self.conditioning), z, timestep, index)
        both = Conditioning.cat([self.empty, self.conditioning])
        without, conditional = self.backbone.predict(torch.cat([z, z]), timestep, both).chunk(2)
        return self._combine(conditional, without)

    def complete(self, conditional: Tensor, z: Tensor, timestep: Tensor, index: int) -> Tensor:
        """The guided prediction, where the conditional one is known."""
        if self.empty is None or self._has_ended(timestep):
            return conditional
        if self._reads_both(timestep, index):
            return self._combine(conditional, self.backbone.predict(z, timestep, self.empty))
        assert self.difference is not None
        return self.backbone.family.guide(
            conditional, conditional - self.difference, self.settings.guidance_scale
        )

    def _combine(self, conditional: Tensor, without: Tensor) -> Tensor:
        if self.settings.guidance_every > 1:
            self.difference = conditional - without
        return self.backbone.family.guide(conditional, without, self.settings.guidance_scale)

    def _has_ended(self, timestep: Tensor) -> bool:
        stop = self.settings.guidance_stop
        # The last timestep of some schedules is 0.
        return stop > 0 and float(timestep) <= stop * self.backbone.train_timesteps

    def _reads_both(self, timestep: Tensor, index: int) -> bool:
        """Whether a step computes both passes."""
        due = self.difference is None or index % self.settings.guidance_every == 0
        return due and not self._has_ended(timestep)
