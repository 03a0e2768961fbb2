"""A pipeline with hooks, offloaded or interrupted, is after a call what it was before, and draws the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.hooks import apply_group_offloading
from tiny_pipelines import BUILDERS, sd
from torch import nn

from lepbench.errors import LepbenchError
from lepbench.guidance.diffusers_backbone import (
    freeze_networks,
    require_weights,
    run_in_full,
    wrap_pipeline,
)
from lepbench.guidance.execution import Execution
from lepbench.guidance.pipeline import SketchGuidedPipeline
from lepbench.predictors import MlpConfig, MlpPredictor
from lepbench.seeds import make_generator

CPU = torch.device("cpu")
EIGHT_BITS = torch.float8_e4m3fn
OPTIONS: dict[str, Any] = {"num_inference_steps": 2, "height": 32, "width": 32, "output_type": "pt"}


def made(name: str = "sd-v") -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        pipe = BUILDERS[name]()
    for network in networks_of(pipe):
        network.eval()
    pipe.set_progress_bar_config(disable=True)
    return pipe


def networks_of(pipe: Any) -> list[nn.Module]:
    return [part for part in pipe.components.values() if isinstance(part, nn.Module)]


def guided_by(pipe: Any) -> SketchGuidedPipeline:
    backbone = wrap_pipeline(pipe)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        config = MlpConfig(taps=backbone.tap_channels, out_channels=4, train_timesteps=1000, hidden=(8,))
        return SketchGuidedPipeline.from_pipe(pipe, MlpPredictor(config))


def sketch() -> np.ndarray[Any, Any]:
    strokes = np.zeros((32, 32), np.bool_)
    strokes[8:24, 12] = strokes[8, 12:26] = True
    return strokes


def state(pipe: Any) -> dict[str, Any]:
    """Everything of the networks that a call might change."""
    found: dict[str, Any] = {}
    for number, network in enumerate(networks_of(pipe)):
        for name, weight in network.named_parameters():
            found[f"{number} {name}"] = (
                weight.is_inference(), weight.requires_grad, weight.dtype, weight.device, weight.grad,
                weight.detach().float().sum().item(),
            )  # fmt: skip
        for name, module in network.named_modules():
            hooks = (len(module._forward_hooks), len(module._forward_pre_hooks))
            found[f"{number} module {name}"] = (module.training, hooks, hasattr(module, "_diffusers_hook"))
    return found


def cast(pipe: Any) -> None:
    networks = [pipe.transformer] if hasattr(pipe, "transformer") else [pipe.unet, pipe.vae]
    for network in networks:
        network.enable_layerwise_casting(storage_dtype=EIGHT_BITS, compute_dtype=torch.float32)


def group(kind: str) -> Callable[[Any], None]:
    def offload(pipe: Any) -> None:
        blocks = 1 if kind == "block_level" else None
        for network in networks_of(pipe):
            apply_group_offloading(
                network, CPU, offload_device=CPU, offload_type=kind, num_blocks_per_group=blocks
            )

    return offload


def train(pipe: Any) -> None:
    pipe.unet.train()
    pipe.vae.requires_grad_(False)
    pipe.unet.conv_in.requires_grad_(False)
    pipe.unet.time_embedding.eval()


MODES: dict[str, Callable[[Any], None]] = {
    "as it is": lambda pipe: None,
    "layerwise casting": cast,
    "group offloading of leaves": group("leaf_level"),
    "group offloading of blocks": group("block_level"),
    "model offloading": lambda pipe: pipe.enable_model_cpu_offload(device="cpu"),
    "in training": train,
    "attention slicing": lambda pipe: pipe.enable_attention_slicing(),
    "tiled VAE": lambda pipe: pipe.vae.enable_tiling(),
}


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(MODES))
def test_a_call_leaves_a_pipeline_as_it_was(mode: str) -> None:
    pipe = made()
    MODES[mode](pipe)
    # The first call of its own may move weights for good.
    expected = pipe("a red fish", generator=make_generator(0), **OPTIONS).images
    guided, before, scheduler = guided_by(pipe), state(pipe), pipe.scheduler
    plain = guided("a red fish", generator=make_generator(0), **OPTIONS).images
    assert (plain - expected).abs().max() < (1e-5 if mode != "in training" else 1)
    steered = guided("a red fish", sketch(), stop=0.0, generator=make_generator(0), **OPTIONS).images
    assert (steered - plain).abs().max() > 1e-4
    assert state(pipe) == before
    with pytest.raises(LepbenchError):
        guided("a red fish", sketch(), weights=-np.ones((32, 32)), **OPTIONS)
    assert state(pipe) == before
    again = pipe("a red fish", generator=make_generator(0), **OPTIONS).images
    assert torch.equal(again, expected)
    assert pipe.scheduler is scheduler


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize(
    "mode", ["as it is", "layerwise casting", "group offloading of leaves", "in training"]
)
def test_a_call_that_breaks_off_leaves_it_as_it_was(mode: str, error: type[BaseException]) -> None:
    pipe = made()
    MODES[mode](pipe)
    expected = pipe("a", generator=make_generator(0), **OPTIONS).images
    guided, before = guided_by(pipe), state(pipe)
    passes = 0

    def fail(*_: Any) -> None:
        nonlocal passes
        passes += 1
        if passes == 3:
            raise error

    handle = pipe.unet.register_forward_pre_hook(fail)
    with pytest.raises(error):
        guided("a", sketch(), stop=0.0, **OPTIONS)
    handle.remove()
    assert passes == 3
    assert state(pipe) == before
    assert torch.is_grad_enabled()
    assert torch.equal(pipe("a", generator=make_generator(0), **OPTIONS).images, expected)


def test_a_layer_that_runs_out_of_memory_is_cast_back(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = made()
    cast(pipe)
    guided, before = guided_by(pipe), state(pipe)

    def fail(*_: Any) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(pipe.unet.mid_block.resnets[0].conv1, "_conv_forward", fail)
    with pytest.raises(torch.OutOfMemoryError):
        guided("a", sketch(), stop=0.0, **OPTIONS)
    assert state(pipe) == before


@pytest.mark.parametrize("name", ["sd-v", "flux-dev"])
def test_through_cast_weights_the_guidance_is_that_of_the_cast_values(name: str) -> None:
    hooked, rounded = made(name), made(name)
    cast(hooked)
    with torch.no_grad():
        # The same values, held in full precision throughout.
        for cast_one, plain in zip(networks_of(hooked), networks_of(rounded), strict=True):
            for source, goal in zip(cast_one.parameters(), plain.parameters(), strict=True):
                goal.copy_(source.float())
    one, other = (
        guided_by(pipe)("a", sketch(), stop=0.0, generator=make_generator(0), **OPTIONS).images
        for pipe in (hooked, rounded)
    )
    assert torch.allclose(one, other, atol=1e-5)


def test_a_caller_in_inference_mode_is_served_alike() -> None:
    guided = guided_by(made())
    one = guided("a", sketch(), weights=np.ones((32, 32)), stop=0.0, seed=0, **OPTIONS).images
    with torch.inference_mode():
        other = guided("a", sketch(), weights=np.ones((32, 32)), stop=0.0, seed=0, **OPTIONS).images
    assert torch.equal(one, other)
    assert not any(weight.is_inference() for weight in guided.pipe.unet.parameters())


def test_weights_of_inference_mode_are_refused_before_anything_is_changed() -> None:
    with torch.inference_mode():
        pipe = made()
    wishes = [weight.requires_grad for weight in pipe.unet.parameters()]
    with pytest.raises(LepbenchError, match=r"unet are inference tensors, .*outside of torch.inference_mode"):
        require_weights(wrap_pipeline(pipe))
    assert [weight.requires_grad for weight in pipe.unet.parameters()] == wishes


def test_weights_without_values_are_named() -> None:
    pipe = made()
    pipe.text_encoder.to("meta")
    with pytest.raises(LepbenchError, match=r"text_encoder has no values for its weight '.+'; load it"):
        require_weights(wrap_pipeline(pipe))


def test_hooked_weights_are_not_prepared_anew() -> None:
    pipe = made()
    cast(pipe)
    predictor = guided_by(pipe).predictor
    with pytest.raises(LepbenchError, match="hooks cast or move the denoiser's weights; prepare no"):
        SketchGuidedPipeline.from_pipe(pipe, predictor, Execution(checkpointing=True))


class Stubborn(nn.Module):
    """Puts in the place of its weight, while it is frozen, one that can never require a gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def spoil(self) -> None:
        with torch.inference_mode():
            self.weight = nn.Parameter(torch.ones(1), requires_grad=False)


def test_where_one_weight_cannot_be_restored_all_others_are() -> None:
    first, bad, last = nn.Linear(1, 1), Stubborn(), nn.Linear(1, 1)
    with pytest.raises(RuntimeError, match="inference"), freeze_networks([first, bad, last]):
        bad.spoil()
    for network in (first, last):
        assert network.training
        assert all(weight.requires_grad for weight in network.parameters())


def test_a_weight_that_a_hook_replaced_gets_the_wish_of_the_one_before() -> None:
    network = nn.Linear(2, 2)
    with freeze_networks([network]):
        network.weight = nn.Parameter(torch.ones(2, 2), requires_grad=False)
    assert network.weight.requires_grad


def test_a_vae_of_mixed_precision_comes_back_as_it_was() -> None:
    vae = sd().vae.to(torch.float16)
    vae.decoder.conv_out.to(torch.float32)
    vae.register_to_config(force_upcast=True)
    before = {name: (weight.dtype, weight.clone()) for name, weight in vae.named_parameters()}
    with run_in_full(vae):
        assert {weight.dtype for weight in vae.parameters()} == {torch.float32}
    for name, weight in vae.named_parameters():
        assert weight.dtype == before[name][0]
        assert torch.equal(weight, before[name][1])
