"""A ControlNet of the embedded model: a trained copy of the U-Net's encoder that reads the sketch as well."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from diffusers import ControlNetModel

from lepbench.backbones import Backbone
from lepbench.mini.control import ControlRecipe, Inputs, TrainedEncoder, train_encoder


class ControlNetRecipe(ControlRecipe):
    """How a ControlNet is made (Zhang, Rao and Agrawala 2023).

    Attributes:
        embedding_channels: of the convolutions between the control picture and the latent's size; each entry
            after the first halves the side.
    """

    embedding_channels: tuple[int, int, int] = (16, 32, 64)


def build(recipe: ControlNetRecipe, backbone: Backbone) -> ControlNetModel:
    """A ControlNet that starts as the backbone's encoder and adds nothing yet."""
    network: ControlNetModel = ControlNetModel.from_unet(
        backbone.denoiser, conditioning_embedding_out_channels=recipe.embedding_channels
    )
    return network.requires_grad_(True)


def residuals(network: ControlNetModel, inputs: Inputs) -> dict[str, Any]:
    """What the ControlNet adds to the U-Net's skip connections and to its middle."""
    down, middle = network(
        inputs.noisy, inputs.times, inputs.states, controlnet_cond=inputs.pictures, return_dict=False
    )
    return {"down_block_additional_residuals": down, "mid_block_additional_residual": middle}


def train(recipe: ControlNetRecipe, folder: Path, cache: Path) -> TrainedEncoder:
    """Train the ControlNet; returned in evaluation mode."""
    return train_encoder(recipe, partial(build, recipe), residuals, folder=folder, cache=cache)
