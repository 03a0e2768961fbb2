"""Base class of latent edge predictors: networks over tapped features that predict an encoded edge map."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from lepbench.backbones.backbone import Backbone
from lepbench.errors import LepbenchError
from lepbench.predictors.pretrained import PretrainedModule, load_pretrained
from lepbench.registry import Registry

DISTINCTIVE = (
    "addition_embed_type",
    "attention_head_dim",
    "cross_attention_dim",
    "guidance_embeds",
    "joint_attention_dim",
    "num_attention_heads",
    "num_layers",
    "num_single_layers",
)
"""Keys of a denoiser's config by which kinds of network differ that are tapped alike, as Stable Diffusion 1
and 2 or Flux dev and schnell are: a predictor of one does not work with features of the other."""


class Predictor(PretrainedModule):
    """Base of the predictors. A subclass sets both kinds, is built from `config_kind` and has `forward`."""

    @property
    def reads_noise(self) -> bool:
        """Whether `forward` needs `noise`."""
        return False

    def forward(
        self,
        features: Mapping[str, Tensor],
        timesteps: Tensor,
        size: tuple[int, int],
        noise: Tensor | None = None,
    ) -> Tensor:
        """Predict the encoded edge map.

        Args:
            features: tapped position -> activations `[B, channels, h_tap, w_tap]`.
            timesteps: `[B]`, of the training schedule.
            size: `(h, w)` of the latent.
            noise: `[B, C, h, w]`, the noise the model sees in the latent (`noise_component`), where
                `reads_noise`; ignored otherwise.

        Returns:
            `[B, out_channels, h, w]` in latent units, as `Backbone.encode_edges` gives them.
        """
        raise NotImplementedError

    def require_fit(self, backbone: Backbone) -> None:
        """Check that the backbone is of the kind this predictor reads: taps, channels, network, latents.

        Weights are not compared: a predictor also reads fine-tuned versions of its backbone.

        Raises:
            LepbenchError: it does not fit; the message names the first position that differs.
        """
        channels = backbone.tap_channels
        for position, count in self.config.taps.items():
            if channels.get(position) != count:
                raise LepbenchError(
                    f"the predictor reads {count} channels at {position} where {backbone.name} has "
                    f"{channels.get(position, 'no tap')}",
                    "use the backbone it was trained on, or train one with 'lepbench train-lep'",
                )
        for key, value in describe_architecture(backbone).items():
            if self.config.network is not None and self.config.network.get(key) != value:
                raise LepbenchError(
                    f"the predictor reads a network of {key} {self.config.network.get(key)}, "
                    f"and that of {backbone.name} has {value}",
                    "use the backbone it was trained on or one tuned from it",
                )
        if backbone.latent_channels != self.config.out_channels:
            raise LepbenchError(
                f"the predictor makes {self.config.out_channels} latent channels and {backbone.name} has "
                f"{backbone.latent_channels}",
                "use the backbone it was trained on, or train one with 'lepbench train-lep'",
            )

    @staticmethod
    def from_pretrained(id_or_path: str | Path, backbone: Backbone | None = None) -> Predictor:
        """Load a predictor of any registered kind: eval mode, frozen weights, on the backbone's device.

        Args:
            id_or_path: an embedded name (`lep-mini@1`), a folder, or a hub id.
            backbone: where given, what it must fit.

        Raises:
            LepbenchError: a file is missing or damaged, the kind is unknown, or it does not fit the backbone.
        """
        predictor = load_pretrained(id_or_path, PREDICTORS)
        if backbone is not None:
            predictor.require_fit(backbone)
            predictor.to(backbone.device)
        return predictor


PREDICTORS: Registry[type[Predictor]] = Registry("predictor", Predictor)


def describe_architecture(backbone: Backbone) -> dict[str, Any]:
    """What tells kinds of network apart whose taps are equal, as JSON has it; see `DISTINCTIVE`."""
    found = {key: backbone.denoiser.config.get(key) for key in DISTINCTIVE}
    found["prediction_type"] = backbone.scheduler.get("prediction_type", "epsilon")
    known: dict[str, Any] = json.loads(json.dumps({k: v for k, v in found.items() if v is not None}))
    return known
