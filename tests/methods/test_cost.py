"""Passes and operations are those of the run itself, and counting changes no picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lepbench.backbones import Backbone, load_backbone
from lepbench.backbones.cost import (
    Arithmetic,
    Passes,
    count_flops,
    count_pass_flops,
    count_passes,
    describe_arithmetic,
)
from lepbench.guidance import SamplerSettings
from lepbench.guidance.execution import Execution
from lepbench.guidance.guidance_schedule import GuidanceSchedule, Repeats
from lepbench.methods import CleanEdgesConfig, LepConfig, Method, MethodConfig, Request, UnguidedConfig
from lepbench.methods.cost import PictureFlops
from lepbench.predictors import MlpConfig, MlpPredictor

STEPS, STOP = 4, 0.4
SAMPLER = SamplerSettings(steps=STEPS)


@pytest.fixture(scope="module")
def backbone(tiny_pipeline_folder: Path) -> Backbone:
    return load_backbone(tiny_pipeline_folder)


@pytest.fixture(scope="module")
def configs(backbone: Backbone, tmp_path_factory: pytest.TempPathFactory) -> dict[str, MethodConfig]:
    folder = tmp_path_factory.mktemp("predictor")
    taps = backbone.tap_channels
    MlpPredictor(MlpConfig(taps=taps, out_channels=4, train_timesteps=1000, hidden=(8,))).save_pretrained(
        folder
    )
    lep: dict[str, Any] = {"predictor": str(folder), "stop": STOP}
    return {
        "unguided": UnguidedConfig(),
        "lep": LepConfig(**lep),
        "checkpointed": LepConfig(**lep, execution=Execution(checkpointing=True)),
        "repeated": LepConfig(**lep, schedule=GuidanceSchedule(repeats=Repeats(times=2, above=0.6))),
        "clean": CleanEdgesConfig(stop=STOP),
    }


def asked() -> list[Request]:
    strokes = np.zeros((64, 96), dtype=bool)
    strokes[20:40, 20] = True
    return [Request(f"{seed}.png", "a red fish", strokes, seed) for seed in range(3)]


# Of four steps at t = 751, 501, 251, 1 two are above the stop time; 751 is above 0.6 T.
PASSES = {
    "unguided": Passes(plain=3 * 2 * STEPS),
    "lep": Passes(plain=3 * (2 + 2 * 2), steered=3 * 2),
    "checkpointed": Passes(plain=3 * (2 + 2 * 2), steered=3 * 2),
    "repeated": Passes(plain=3 * (2 + 2 * 2), steered=3 * 3),
    "clean": Passes(plain=3 * (2 + 2 * 2), steered=3 * 2),
}


@pytest.mark.parametrize("name", list(PASSES))
def test_counting_passes_changes_no_bit(
    name: str, backbone: Backbone, configs: dict[str, MethodConfig]
) -> None:
    method = configs[name].build(backbone, SAMPLER)
    before = method.draw(asked())
    with count_passes(method.backbone.denoiser) as passes:  # type: ignore[attr-defined]
        counted = method.draw(asked())
    assert passes == PASSES[name]
    assert passes.total == passes.plain + passes.steered
    state = torch.get_rng_state()
    method.measure_flops(asked()[0])
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(counted, before)
    assert torch.equal(method.draw(asked()), before)
    modules = method.backbone.denoiser.modules()  # type: ignore[attr-defined]
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in modules)


@pytest.mark.parametrize("name", list(PASSES))
def test_passes_times_operations_are_those_of_the_whole_run(
    name: str, backbone: Backbone, configs: dict[str, MethodConfig]
) -> None:
    method = configs[name].build(backbone, SAMPLER)
    flops = method.measure_flops(asked()[0])
    assert flops is not None
    whole = count_flops(lambda: method.draw(asked())) / 3e12
    # The unconditional half of the text is encoded once a batch.
    assert flops.per_picture(PASSES[name], 3) == pytest.approx(whole, rel=0.01)
    assert flops.plain == count_pass_flops(backbone, (64, 96))
    assert (flops.steered > 1.5 * flops.plain) is (name != "unguided")


def test_operations_are_those_of_torchs_counter(backbone: Backbone) -> None:
    layers = nn.Sequential(nn.Conv2d(3, 5, 3), nn.Flatten(), nn.Linear(5 * 36, 7))
    batch = torch.randn(2, 3, 8, 8)
    with FlopCounterMode(display=False) as theirs:
        layers(batch).sum().backward()
    assert count_flops(lambda: layers(batch).sum().backward()) == theirs.get_total_flops()
    forward = 2 * 2 * (5 * 36 * 27 + 5 * 36 * 7)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            assert count_flops(lambda: layers(batch)) == forward


@pytest.mark.parametrize("graph", [False, True])
def test_attention_counts_on_the_cpu(graph: bool) -> None:
    query, key, value = (torch.randn(2, 3, n, 8, requires_grad=graph) for n in (16, 24, 24))

    def attend() -> None:
        found = nn.functional.scaled_dot_product_attention(query, key, value)
        if graph:
            found.sum().backward()

    product = 2 * 2 * 3 * 16 * 24 * 8
    assert count_flops(attend) == 2 * product + (5 * product if graph else 0)


def test_the_numbers_that_it_computes_by_are_named(backbone: Backbone) -> None:
    assert describe_arithmetic(backbone) == Arithmetic("float32", None, cached=False)
    half = Execution(dtype="bfloat16").prepare(backbone)
    assert describe_arithmetic(half).precision == "bfloat16"


def test_a_method_of_other_code_has_no_figure() -> None:
    class Blank(Method):
        def draw(self, requests: object) -> torch.Tensor:
            return torch.zeros(1, 3, 8, 8)

    assert Blank().measure_flops(asked()[0]) is None
    assert PictureFlops(plain=2, steered=5, once=7).per_picture(Passes(6, 4), 2) == pytest.approx(23e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sdxl", "sd3", "flux-dev", "pixart-sigma"])
def test_passes_of_every_family_are_counted_by_samples(
    name: str, tiny_folder_of: Callable[[str], Path]
) -> None:
    other = load_backbone(tiny_folder_of(name))
    method = UnguidedConfig().build(
        other, SamplerSettings(steps=2, scheduler="flow_euler" if other.family.flow else "ddim")
    )
    requests = [Request("a", "x", np.zeros((32, 32), bool), seed) for seed in range(3)]
    with count_passes(other.denoiser) as passes:
        method.draw(requests)
    assert passes == Passes(plain=3 * 2 * (1 if name == "flux-dev" else 2))
    flops = method.measure_flops(requests[0])
    assert flops is not None
    whole = count_flops(lambda: method.draw(requests)) / 3e12
    assert flops.per_picture(passes, 3) == pytest.approx(whole, rel=0.2)
