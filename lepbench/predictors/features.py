"""From clean latents to a prediction, the way a predictor is trained and judged."""

from __future__ import annotations

import torch
from torch import Tensor

from lepbench.backbones.backbone import Backbone
from lepbench.backbones.conditioning import Conditioning
from lepbench.predictors.base import Predictor
from lepbench.predictors.noise import noise_for
from lepbench.predictors.team import ALONE, Team


class NoisyFeatures:
    """A predictor reading a backbone on noised latents; no gradient enters the backbone."""

    def __init__(self, backbone: Backbone, predictor: Predictor, team: Team = ALONE) -> None:
        self.backbone = backbone
        self.predictor = predictor
        self.team = team

    def predict(self, latents: Tensor, noise: Tensor, timesteps: Tensor, told: Conditioning) -> Tensor:
        """Predicted edge latents for the latents noised as the backbone was trained (`Backbone.noised`).

        Args:
            latents, noise: `[B, C, h, w]`.
            timesteps: int64 `[B]`.
            told: the captions; the empty caption plays no part, as guidance never reads it.
        """
        features, when, heard = self.read(latents, noise, timesteps, told)
        predicted: Tensor = self.predictor(features, when, (latents.shape[-2], latents.shape[-1]), heard)
        return predicted

    def read(
        self, latents: Tensor, noise: Tensor, timesteps: Tensor, told: Conditioning
    ) -> tuple[dict[str, Tensor], Tensor, Tensor | None]:
        """What the predictor is told: features, timesteps, and the noise if it reads it.

        The network runs no further than to the last tap, unless the predictor reads the noise. Of several
        processes the leader gets those of all, in order; the arguments are as for `predict`.
        """
        device = self.backbone.device
        when = timesteps.to(device)
        noisy = self.backbone.noised(latents.to(device), noise.to(device), when)
        features, heard = self._read(noisy, when, told.to(device))
        gather = self.team.gather
        return (
            {position: gather(feature) for position, feature in features.items()},
            gather(when),
            None if heard is None else gather(heard),
        )

    @torch.no_grad()
    def _read(
        self, noisy: Tensor, when: Tensor, told: Conditioning
    ) -> tuple[dict[str, Tensor], Tensor | None]:
        """Features, and the noise for a predictor that reads it off the network's output."""
        taps = list(self.predictor.config.taps)
        if not self.predictor.reads_noise:
            return self.backbone.features(noisy, when, told, taps), None
        output, features = self.backbone.read(noisy, when, told, taps)
        return features, noise_for(self.predictor, self.backbone, output, noisy, when)
