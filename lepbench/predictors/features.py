"""Predictions from noised latents, for training and evaluation of a predictor."""

from __future__ import annotations

import torch
from torch import Tensor

from lepbench.backbones.backbone import Backbone
from lepbench.backbones.conditioning import Conditioning
from lepbench.predictors.base import Predictor
from lepbench.predictors.noise import read_noise
from lepbench.predictors.process_group import ALONE, ProcessGroup


class NoisyFeatures:
    """A predictor on features of a frozen backbone at noised latents; no gradient enters the backbone."""

    def __init__(self, backbone: Backbone, predictor: Predictor, processes: ProcessGroup = ALONE) -> None:
        self.backbone = backbone
        self.predictor = predictor
        self.processes = processes

    def predict(
        self, latents: Tensor, noise: Tensor, timesteps: Tensor, conditioning: Conditioning
    ) -> Tensor:
        """Predicted edge latents for the latents noised as the backbone was trained (`Backbone.noised`).

        Args:
            latents, noise: `[B, C, h, w]`.
            timesteps: int64 `[B]`.
            conditioning: the captions; the empty prompt is not used, as guidance never reads its features.
        """
        features, timesteps, noise_component = self.read(latents, noise, timesteps, conditioning)
        predicted: Tensor = self.predictor(
            features, timesteps, (latents.shape[-2], latents.shape[-1]), noise_component
        )
        return predicted

    def read(
        self, latents: Tensor, noise: Tensor, timesteps: Tensor, conditioning: Conditioning
    ) -> tuple[dict[str, Tensor], Tensor, Tensor | None]:
        """The predictor's inputs: features, timesteps, and the noise if it reads it.

        The network runs only to the last tap, unless the predictor reads the noise. With several
        processes the main one gets those of all, in order. Arguments as for `predict`.
        """
        device = self.backbone.device
        timesteps = timesteps.to(device)
        noisy = self.backbone.noised(latents.to(device), noise.to(device), timesteps)
        features, noise_component = self._read(noisy, timesteps, conditioning.to(device))
        gather = self.processes.gather
        return (
            {position: gather(feature) for position, feature in features.items()},
            gather(timesteps),
            None if noise_component is None else gather(noise_component),
        )

    @torch.no_grad()
    def _read(
        self, noisy: Tensor, timesteps: Tensor, conditioning: Conditioning
    ) -> tuple[dict[str, Tensor], Tensor | None]:
        """Features, and the noise for a predictor that reads it off the network's output."""
        taps = list(self.predictor.config.taps)
        if not self.predictor.reads_noise:
            return self.backbone.features(noisy, timesteps, conditioning, taps), None
        output, features = self.backbone.read(noisy, timesteps, conditioning, taps)
        return features, read_noise(self.predictor, self.backbone, output, noisy=noisy, timesteps=timesteps)
