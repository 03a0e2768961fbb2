"""The gradient is that of the whole graph, though nothing behind the last tap is recorded."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from lepbench.backbones import Backbone, Conditioning
from lepbench.errors import LepbenchError
from lepbench.guidance.gradient import compute_edge_gradient, record_until_read
from lepbench.predictors import MlpPredictor
from lepbench.predictors.noise import read_noise

PROMPTS = ["a red fish", "two blue boats", "x"]
WHEN = torch.tensor(501)


def plainly(
    backbone: Backbone,
    z: Tensor,
    conditioning: Conditioning,
    predictor: MlpPredictor,
    target: Tensor,
    weights: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Output and gradient with everything in the graph."""
    leaf = z.clone().requires_grad_()
    output, features = backbone.read(leaf, WHEN, conditioning, backbone.taps)
    noise_component = read_noise(predictor, backbone, output, leaf, WHEN)
    edges = predictor(features, WHEN.expand(len(z)), z.shape[-2:], noise_component)
    error = (edges - target).square()
    loss = (error if weights is None else weights * error).sum()
    return output.detach(), torch.autograd.grad(loss, leaf)[0]


@pytest.mark.parametrize("weighted", [False, True])
def test_stopping_at_the_last_tap_changes_nothing(
    weighted: bool, tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    conditioning = tiny_backbone.encode_prompts(PROMPTS)
    weights = torch.rand(3, 1, 16, 16) if weighted else None
    output, gradient = plainly(tiny_backbone, start, conditioning, predictor, target, weights)
    step = compute_edge_gradient(tiny_backbone, start, WHEN, conditioning, predictor, target, weights)
    assert step.output is not None
    assert torch.equal(step.output, output)
    assert torch.allclose(step.gradient, gradient, rtol=1e-5, atol=1e-7)
    assert not any(tensor is not None and tensor.requires_grad for tensor in step)


def test_a_predictor_that_reads_the_noise_is_led_back_through_the_output(
    tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        config = predictor.config.model_copy(update={"time": "noise-map"})
        hearing = MlpPredictor(config).requires_grad_(False).eval()
    conditioning = tiny_backbone.encode_prompts(PROMPTS)
    _, gradient = plainly(tiny_backbone, start, conditioning, hearing, target)
    step = compute_edge_gradient(tiny_backbone, start, WHEN, conditioning, hearing, target)
    assert torch.allclose(step.gradient, gradient, rtol=1e-5, atol=1e-7)


def test_nothing_behind_the_last_tap_is_recorded(tiny_backbone: Backbone, start: Tensor) -> None:
    conditioning = tiny_backbone.encode_prompts(PROMPTS)
    names = ["down_blocks[0].resnets[-1]", "mid_block.resnets[0]"]
    recording: dict[str, bool] = {}
    unet = tiny_backbone.denoiser
    watched = {"conv_in": unet.conv_in, "mid": unet.mid_block.resnets[1], "conv_out": unet.conv_out}
    handles = [
        module.register_forward_pre_hook(
            lambda m, i, name=name: recording.update({name: torch.is_grad_enabled()})
        )
        for name, module in watched.items()
    ]
    kept: list[list[int]] = [[], []]

    def pack(way: int, tensor: Tensor) -> Tensor:
        kept[way].append(tensor.numel())
        return tensor

    try:
        for way, until in enumerate(([], names)):
            hooks = saved_tensors_hooks(partial(pack, way), lambda tensor: tensor)
            with torch.enable_grad(), hooks, record_until_read(unet, until or ["conv_out"]):
                output, _ = tiny_backbone.read(start.clone().requires_grad_(), WHEN, conditioning, names)
                assert torch.is_grad_enabled()
    finally:
        for handle in handles:
            handle.remove()
    assert recording == {"conv_in": True, "mid": False, "conv_out": False}
    assert not output.requires_grad
    assert 0 < sum(kept[1]) < 0.7 * sum(kept[0])


def test_hooks_go_when_a_pass_fails(
    tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    conditioning = tiny_backbone.encode_prompts(PROMPTS)
    with pytest.raises(RuntimeError):
        compute_edge_gradient(tiny_backbone, start[:, :2], WHEN, conditioning, predictor, target)
    assert not any(module._forward_hooks for module in tiny_backbone.denoiser.modules())
    with (
        pytest.raises(LepbenchError, match="no tap 'nowhere'"),
        record_until_read(tiny_backbone.denoiser, ["nowhere"]),
    ):
        pass
    assert not any(module._forward_hooks for module in tiny_backbone.denoiser.modules())


class Loud(MlpPredictor):
    """Its gradient through float16 overflows unless the loss is made small, or vanishes unless made large."""

    loudness = 1.0

    def forward(
        self,
        features: Mapping[str, Tensor],
        timesteps: Tensor,
        size: tuple[int, int],
        noise: Tensor | None = None,
    ) -> Tensor:
        return super().forward(features, timesteps, size, noise) * self.loudness


@pytest.mark.parametrize("loudness", [1e-4, 1.0, 3e2])
def test_the_gradient_through_float16_neither_overflows_nor_vanishes(
    loudness: float, tiny_backbone: Backbone, predictor: MlpPredictor, start: Tensor
) -> None:
    loud = Loud(predictor.config)
    loud.load_state_dict(predictor.state_dict())
    loud.eval().requires_grad_(False)
    loud.loudness = loudness
    half = dataclasses.replace(tiny_backbone, denoiser=_Halved(tiny_backbone.denoiser), dtype=torch.float16)
    conditioning = tiny_backbone.encode_prompts(PROMPTS)
    target = torch.zeros_like(start)
    _, exact = plainly(tiny_backbone, start, conditioning, loud, target)
    step = compute_edge_gradient(half, start, WHEN, conditioning, loud, target)
    assert step.gradient.isfinite().all()
    cosine = torch.cosine_similarity(step.gradient.flatten(1), exact.flatten(1))
    assert (cosine > 0.999).all()


class _Halved(torch.nn.Module):
    """A network whose input and captions pass through float16, and the gradient with them."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network
        self.config = network.config

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self._modules["network"], name)

    def forward(self, latents: Tensor, timesteps: Tensor, conditioning: Tensor, **options: Any) -> Tensor:
        assert latents.dtype == conditioning.dtype == torch.float16
        return self.network(latents.float(), timesteps, conditioning.float(), **options)
