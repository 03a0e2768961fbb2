"""Released backbones at their true width, of fewer blocks: one guided gradient, against the literal form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lepbench.backbones import Backbone, Conditioning
from lepbench.backbones.family import TextParts
from lepbench.backbones.known import find_denoiser, load_known
from lepbench.backbones.load import import_class
from lepbench.guidance.gradient import compute_edge_gradient
from lepbench.predictors import MlpConfig, MlpPredictor

pytestmark = pytest.mark.slow

FEWER: dict[str, dict[str, Any]] = {
    "flux-dev": {"num_layers": 1, "num_single_layers": 2},
    "sd3": {"num_layers": 2},
    "sd35-medium": {"num_layers": 2, "dual_attention_layers": (0,), "pos_embed_max_size": 64},
    "pixart-sigma": {"num_layers": 2},
    "sana": {"num_layers": 2},
    "z-image": {"n_layers": 1, "n_refiner_layers": 1},
    "qwen-image": {"num_layers": 1},
    "flux2-klein-4b": {"num_layers": 1, "num_single_layers": 1},
    "sdxl": {"transformer_layers_per_block": (1, 1, 1)},
}
"""By what a true configuration is made as shallow as taps allow; widths, heads and layout stay."""

TAPPED = {
    "flux-dev": [3072] * 3,
    "sd3": [1536] * 2,
    "sd35-medium": [1536] * 2,
    "pixart-sigma": [1152] * 2,
    "sana": [2240] * 2,
    "z-image": [3840],
    "qwen-image": [3072],
    "flux2-klein-4b": [3072] * 2,
    "sdxl": [320, 640, *[1280] * 5, 640, 320],
}

WHEN = torch.tensor(501)


def shallow(name: str) -> Backbone:
    """The backbone with random weights in float32; its VAE and text encoders have none."""
    family, config = find_denoiser(name)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        denoiser = import_class(family.components[family.denoiser]).from_config(config | FEWER[name])
    with torch.device("meta"):
        vae = import_class(family.components["vae"]).from_config(dict(load_known()[name].vae))
    cpu = torch.device("cpu")
    return Backbone(
        name=name,
        folder=Path(name),
        family=family,
        denoiser=denoiser.requires_grad_(False).eval(),
        vae=vae,
        text=TextParts({}, {}, {}, denoiser.config, cpu),
        scheduler=load_known()[name].scheduler,
        taps=family.positions(denoiser.config),
        device=cpu,
        dtype=torch.float32,
    )


def condition_of(backbone: Backbone) -> Conditioning:
    """Seven random tokens as wide as the text encoders', none of them padding."""
    blank = backbone.family.blank(backbone.denoiser.config).tensors
    conditioning = {name: torch.randn(tensor.shape) for name, tensor in blank.items()}
    conditioning["embeddings"] = torch.randn(1, 7, blank["embeddings"].shape[-1])
    return Conditioning(conditioning | ({"mask": torch.ones(1, 7)} if "mask" in blank else {}))


def concatenated(predictor: MlpPredictor, features: dict[str, Tensor], size: tuple[int, int]) -> Tensor:
    """The predictor as papers draw it: taps resized to the latent and put together, one layer over all."""
    columns = [
        F.interpolate(norm(features[name]), size=size, mode="bilinear", align_corners=False)
        for name, norm in zip(predictor.config.taps, predictor.standardise, strict=True)
    ]
    columns.append((WHEN / predictor.config.train_timesteps).expand(1, 1, *size))
    weights = [
        *(part.get_parameter("weight") for part in predictor.slices),
        predictor.time.weight[:, :, None, None],
    ]
    return predictor.rest(F.conv2d(torch.cat(columns, 1), torch.cat(weights, 1), predictor.time.bias))


@pytest.mark.parametrize("name", list(FEWER))
def test_a_guided_gradient_at_true_width_is_that_of_the_literal_form(name: str) -> None:
    backbone = shallow(name)
    assert list(backbone.tap_channels.values()) == TAPPED[name]
    shape = (1, backbone.latent_channels, 8, 12)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        z, target = torch.randn(shape), torch.randn(shape)
        conditioning = condition_of(backbone)
        config = MlpConfig(taps=backbone.tap_channels, out_channels=shape[1], train_timesteps=1000)
        predictor = MlpPredictor(config).requires_grad_(False).eval()

    step = compute_edge_gradient(backbone, z, WHEN, conditioning, predictor, target)
    leaf = z.clone().requires_grad_()
    output, features = backbone.read(leaf, WHEN, conditioning, backbone.taps)
    loss = (concatenated(predictor, features, (8, 12)) - target).square().sum()
    (expected,) = torch.autograd.grad(loss, leaf)

    assert step.output is not None
    assert step.output.isfinite().all()
    assert torch.allclose(step.output, output, rtol=1e-4, atol=1e-5)
    assert step.gradient.isfinite().all()
    assert expected.abs().max() > 0
    assert torch.allclose(step.gradient, expected, rtol=1e-3, atol=1e-4 * expected.abs().max().item())
