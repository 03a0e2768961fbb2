"""A T2I-Adapter of the embedded model: a small network of the sketch alone, added to the U-Net's encoder."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from diffusers import T2IAdapter

from lepbench.backbones import Backbone
from lepbench.mini.control import ControlRecipe, Inputs, TrainedEncoder, train_encoder


class AdapterRecipe(ControlRecipe):
    """How a T2I-Adapter is made (Mou et al. 2023).

    Attributes:
        residual_blocks: of each of its levels.
    """

    residual_blocks: int = 2


def build(recipe: AdapterRecipe, backbone: Backbone) -> T2IAdapter:
    """A fresh adapter for the backbone's levels.

    diffusers adds an adapter's map behind the downsampling of a block without attention, and before that of a
    block with it. mini's blocks thus take maps of 8, 8 and 4 px, which only `full_adapter_xl` has.
    """
    return T2IAdapter(
        in_channels=3,
        channels=list(backbone.denoiser.config.block_out_channels),
        num_res_blocks=recipe.residual_blocks,
        downscale_factor=2 * backbone.vae_factor,
        adapter_type="full_adapter_xl",
    )


def residuals(network: T2IAdapter, inputs: Inputs) -> dict[str, Any]:
    """What the adapter adds inside the blocks of the U-Net's encoder."""
    return {"down_intrablock_additional_residuals": network(inputs.pictures)}


def train(recipe: AdapterRecipe, folder: Path, cache: Path) -> TrainedEncoder:
    """Train the adapter; returned in evaluation mode."""
    return train_encoder(recipe, partial(build, recipe), residuals, folder=folder, cache=cache)
