"""Options that trade time or memory draw the same pictures, and leave the backbone they were given alone."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.resnet import ResnetBlock2D
from pydantic import ValidationError
from tiny_pipelines import BUILDERS
from torch import Tensor
from torch._dynamo.eval_frame import _debug_get_cache_entry_list
from torch.autograd.graph import saved_tensors_hooks

from lepbench.backbones import Backbone, load_backbone
from lepbench.guidance import SamplerSettings, SketchGuidance, sample
from lepbench.guidance.diffusers_backbone import wrap_pipeline
from lepbench.guidance.execution import COMPILED, Execution
from lepbench.guidance.gradient import compute_edge_gradient
from lepbench.predictors import MlpConfig, MlpPredictor

PROMPTS = ["a red fish", "two blue boats", "x"]


def drawn(backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor) -> torch.Tensor:
    guidance = SketchGuidance(predictor, target, 0.5, 0.4)
    latents = sample(backbone, PROMPTS, start, SamplerSettings(steps=4), guidance).latents
    return backbone.decode_latents(latents)


@pytest.fixture(scope="module")
def ordinary(tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor) -> torch.Tensor:
    return drawn(tiny_backbone, predictor, target, start)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "tolerance"),
    [
        ({"checkpointing": True}, 1e-4),
        ({"channels_last": True}, 1e-3),
        ({"dtype": "bfloat16"}, 0.08),
        ({"dtype": "float16"}, 0.01),
        ({"dtype": "bfloat16", "checkpointing": True, "channels_last": True}, 0.08),
    ],
)
def test_the_pictures_stay(
    options: dict[str, Any],
    tolerance: float,
    tiny_backbone: Backbone,
    predictor: MlpPredictor,
    target: Tensor,
    start: Tensor,
    ordinary: torch.Tensor,
) -> None:
    before = {name: (p.dtype, p.data_ptr()) for name, p in tiny_backbone.denoiser.named_parameters()}
    prepared = Execution(**options).prepare(tiny_backbone)
    pictures = drawn(prepared, predictor, target, start)
    assert (pictures - ordinary).abs().mean() < tolerance
    assert {n: (p.dtype, p.data_ptr()) for n, p in tiny_backbone.denoiser.named_parameters()} == before
    assert not tiny_backbone.denoiser.is_gradient_checkpointing


@pytest.mark.slow
def test_compiled_blocks_give_the_same_gradient(
    tiny_backbone: Backbone,
    predictor: MlpPredictor,
    target: Tensor,
    start: Tensor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Traced as ever, but run without a compiler: that takes minutes.
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager"))
    conditioning, when = tiny_backbone.encode_prompts(PROMPTS), torch.tensor(501)
    prepared = Execution(compiled=True).prepare(tiny_backbone)
    compiled = [module for module in prepared.denoiser.modules() if "forward" in vars(module)]
    assert {type(module).__name__ for module in compiled} == {"BasicTransformerBlock", "ResnetBlock2D"}
    assert not any("forward" in vars(module) for module in tiny_backbone.denoiser.modules())
    ours, plain = (
        compute_edge_gradient(backbone, start, when, conditioning, predictor, target)
        for backbone in (prepared, tiny_backbone)
    )
    assert torch.allclose(ours.gradient, plain.gradient, rtol=1e-3, atol=1e-5)
    assert ours.output is not None
    assert plain.output is not None
    assert torch.allclose(ours.output, plain.output, atol=1e-5)


@pytest.mark.parametrize("name", list(BUILDERS))
def test_the_blocks_of_every_transformer_are_compiled(name: str) -> None:
    kinds = {type(module).__name__ for module in wrap_pipeline(BUILDERS[name]()).denoiser.modules()}
    repeated = {kind for kind in kinds if kind.endswith("TransformerBlock")}
    assert repeated
    assert repeated <= set(COMPILED)


@pytest.mark.slow
def test_all_blocks_of_a_large_layout_stay_compiled(
    tiny_folder_of: Callable[[str], Path], start: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager"))
    torch._dynamo.reset()
    backbone = load_backbone(tiny_folder_of("sd-v"))
    compiled = Execution(compiled=True).prepare(backbone)
    config = MlpConfig(taps=backbone.tap_channels, out_channels=4, train_timesteps=1000, hidden=(8,))
    predictor = MlpPredictor(config).requires_grad_(False).eval()
    guidance, settings = SketchGuidance(predictor, torch.ones_like(start), 1.6, 0.4), SamplerSettings(steps=2)
    # Half of the steps guided: with and without a graph, one half of the guidance and both.
    with torch._dynamo.config.patch(fail_on_cache_limit_hit=True):
        ours, plain = (
            sample(either, PROMPTS, start, settings, guidance).latents for either in (compiled, backbone)
        )
    assert torch.allclose(ours, plain, atol=1e-3, rtol=1e-3)
    # More than the limit that holds elsewhere, which is as it was.
    assert len(_debug_get_cache_entry_list(ResnetBlock2D.forward.__code__)) > 8
    assert torch._dynamo.config.cache_size_limit == 8


def test_by_default_the_backbone_is_the_one_given(tiny_backbone: Backbone) -> None:
    assert Execution().prepare(tiny_backbone) is tiny_backbone


def test_weights_are_copied_only_to_be_converted(tiny_backbone: Backbone) -> None:
    def places(backbone: Backbone) -> set[int]:
        return {p.data_ptr() for p in backbone.denoiser.parameters()}

    assert places(Execution(checkpointing=True).prepare(tiny_backbone)) == places(tiny_backbone)
    converted = Execution(dtype="bfloat16").prepare(tiny_backbone)
    assert places(converted).isdisjoint(places(tiny_backbone))
    assert converted.dtype == converted.denoiser.dtype == torch.bfloat16


def test_checkpoints_keep_less_for_the_way_back(
    tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    def kept(backbone: Backbone) -> int:
        seen: dict[int, int] = {}

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            seen[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        conditioning = backbone.encode_prompts(PROMPTS)
        with saved_tensors_hooks(pack, lambda tensor: tensor):
            compute_edge_gradient(backbone, start, torch.tensor(501), conditioning, predictor, target)
        return sum(seen.values())

    assert kept(Execution(checkpointing=True).prepare(tiny_backbone)) < 0.8 * kept(tiny_backbone)


def test_settings_are_closed() -> None:
    with pytest.raises(ValidationError):
        Execution(dtype="int8")
    with pytest.raises(ValidationError):
        Execution(compile=True)  # type: ignore[call-arg]
