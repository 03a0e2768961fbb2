"""From clean latents to a prediction, the way a predictor is trained and judged."""

from __future__ import annotations

import torch
from torch import Tensor

from lepbench.backbones.backbone import Backbone
from lepbench.backbones.taps import tapped
from lepbench.predictors.base import Predictor
from lepbench.predictors.noise import noise_for
from lepbench.predictors.team import ALONE, Team


class NoisyFeatures:
    """A predictor reading a backbone on noised latents; no gradient enters the backbone."""

    def __init__(self, backbone: Backbone, predictor: Predictor, team: Team = ALONE) -> None:
        from diffusers import DDPMScheduler

        self.backbone = backbone
        self.predictor = predictor
        self.team = team
        self.schedule = DDPMScheduler.from_config(dict(backbone.scheduler))

    def predict(self, latents: Tensor, noise: Tensor, timesteps: Tensor, text: Tensor) -> Tensor:
        """Predicted edge latents for `z_t = sqrt(abar_t) z + sqrt(1 - abar_t) noise`.

        Args:
            latents, noise: `[B, C, h, w]`.
            timesteps: int64 `[B]`.
            text: `[B, L, D]`, the captions; the empty caption plays no part, as guidance never reads it.
        """
        features, when, heard = self.read(latents, noise, timesteps, text)
        predicted: Tensor = self.predictor(features, when, (latents.shape[-2], latents.shape[-1]), heard)
        return predicted

    def read(
        self, latents: Tensor, noise: Tensor, timesteps: Tensor, text: Tensor
    ) -> tuple[dict[str, Tensor], Tensor, Tensor | None]:
        """What the predictor is told: features, timesteps, and the noise if it reads it.

        Of several processes the leader gets those of all, in order; the arguments are as for `predict`.
        """
        device = self.backbone.device
        when = timesteps.to(device)
        noisy = self.schedule.add_noise(latents.to(device), noise.to(device), when)
        with torch.no_grad(), tapped(self.backbone.unet, list(self.predictor.config.taps)) as features:
            output = self.backbone.predict(noisy, when, text.to(device))
        heard = noise_for(self.predictor, self.backbone.scheduler, output, noisy, when)
        gather = self.team.gather
        return (
            {position: gather(feature) for position, feature in features.items()},
            gather(when),
            None if heard is None else gather(heard),
        )
