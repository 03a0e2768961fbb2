"""Pictures become the latents that the pipeline's denoiser reads, and latents become pictures in a graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from torch import Tensor

from lepbench.backbones import load_backbone
from lepbench.errors import LepbenchError


def of_sana(pipe: Any, pixels: Tensor) -> Tensor:
    latents: Tensor = pipe.vae.encode(pixels).latent * pipe.vae.config.scaling_factor
    return latents


def of_z_image(pipe: Any, pixels: Tensor) -> Tensor:
    config = pipe.vae.config
    mode: Tensor = pipe.vae.encode(pixels).latent_dist.mode()
    return (mode - config.shift_factor) * config.scaling_factor


def of_qwen_image(pipe: Any, pixels: Tensor) -> Tensor:
    video: Tensor = pipe.vae.encode(pixels[:, :, None]).latent_dist.mode()
    statistics = zip(pipe.vae.config.latents_mean, pipe.vae.config.latents_std, strict=True)
    return torch.stack([(video[:, at, 0] - mean) / std for at, (mean, std) in enumerate(statistics)], 1)


def of_flux2_klein(pipe: Any, pixels: Tensor) -> Tensor:
    latents: Tensor = pipe._encode_vae_image(pixels, None)
    return latents


STOCK: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "sana": of_sana,
    "z-image": of_z_image,
    "qwen-image": of_qwen_image,
    "flux2-klein": of_flux2_klein,
}


@pytest.mark.parametrize("name", list(STOCK))
def test_pictures_are_encoded_as_the_pipelines_do_it(
    name: str, tiny_folder_of: Callable[[str], Path]
) -> None:
    pipe = diffusers.DiffusionPipeline.from_pretrained(tiny_folder_of(name))
    backbone = load_backbone(tiny_folder_of(name))
    pictures = torch.rand(2, 3, 32, 64)
    with torch.no_grad():
        expected = STOCK[name](pipe, pictures * 2 - 1)
    found = backbone.encode_images(pictures)
    assert found.shape == expected.shape == (2, *backbone.latent_shape((32, 64)))
    assert torch.allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("name", list(STOCK))
def test_a_decoded_picture_leads_back_to_its_own_latents(
    name: str, tiny_folder_of: Callable[[str], Path]
) -> None:
    backbone = load_backbone(tiny_folder_of(name))
    latents = torch.randn(2, *backbone.latent_shape((32, 64)), requires_grad=True)
    pictures = backbone.decode(latents)
    assert pictures.shape == (2, 3, 32, 64)
    (gradient,) = torch.autograd.grad(pictures[0].sum(), latents)
    assert gradient[0].abs().sum() > 0
    assert not gradient[1].any()


def test_sides_beyond_the_table_of_positions_are_refused(tiny_folder_of: Callable[[str], Path]) -> None:
    backbone = load_backbone(tiny_folder_of("z-image"))
    assert backbone.latent_shape((256, 8)) == (4, 64, 2)
    with pytest.raises(LepbenchError, match="sides of at most 256 px"):
        backbone.latent_shape((264, 8))
