"""A predictor of early taps: the gradient is that of the whole graph, and late blocks are left out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.backbones.taps import find_module
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings, SketchGuidance, sample
from lepbench.guidance.execution import Execution
from lepbench.guidance.gradient import compute_edge_gradient
from lepbench.guidance.guidance_schedule import GuidanceSchedule, Repeats
from lepbench.predictors import MlpConfig, MlpPredictor
from lepbench.predictors.noise import read_noise
from lepbench.predictors.train import select_taps

PROMPTS = ["a red fish", "two blue boats", "x"]
WHEN = torch.tensor(501)


def make_predictor(backbone: Backbone, taps: tuple[str, ...], time: str = "scalar") -> MlpPredictor:
    with torch.random.fork_rng():
        torch.manual_seed(4)
        config = MlpConfig.model_validate(
            {
                "taps": select_taps(backbone, taps),
                "out_channels": 4,
                "train_timesteps": 1000,
                "hidden": (16, 8),
                "time": time,
            }
        )
        return MlpPredictor(config).requires_grad_(False).eval()


@pytest.mark.parametrize("count", [1, 3, 6, 9])
@pytest.mark.parametrize("needs_output", [True, False])
def test_the_gradient_is_that_of_the_whole_graph(
    count: int, needs_output: bool, tiny_backbone: Backbone, target: Tensor, start: Tensor
) -> None:
    predictor = make_predictor(tiny_backbone, tiny_backbone.taps[:count])
    conditioning = tiny_backbone.encode_prompts(PROMPTS)
    # Every tap is read, and every block is in the graph.
    leaf = start.clone().requires_grad_()
    output, features = tiny_backbone.read(leaf, WHEN, conditioning, tiny_backbone.taps)
    edges = predictor(features, WHEN.expand(3), (16, 16))
    (expected,) = torch.autograd.grad((edges - target).square().sum(), leaf)

    step = compute_edge_gradient(
        tiny_backbone, start, WHEN, conditioning, predictor, target, needs_output=needs_output
    )
    assert torch.allclose(step.gradient, expected, rtol=1e-5, atol=1e-7)
    assert (step.output is not None) == needs_output
    if step.output is not None:
        assert torch.equal(step.output, output.detach())


@pytest.mark.parametrize("needs_output", [True, False])
def test_blocks_after_the_last_tap_are_in_no_graph_or_not_run(
    needs_output: bool, tiny_backbone: Backbone, target: Tensor, start: Tensor
) -> None:
    predictor = make_predictor(tiny_backbone, tiny_backbone.taps[:3])
    recorded: dict[str, bool] = {}
    handles = [
        find_module(tiny_backbone.denoiser, name).register_forward_pre_hook(
            lambda *_, name=name: recorded.update({name: torch.is_grad_enabled()})
        )
        for name in ("down_blocks[0]", "mid_block", "up_blocks[0]", "conv_out")
    ]
    compute_edge_gradient(
        tiny_backbone,
        start,
        WHEN,
        tiny_backbone.encode_prompts(PROMPTS),
        predictor,
        target,
        needs_output=needs_output,
    )
    for handle in handles:
        handle.remove()
    late = {"mid_block": False, "up_blocks[0]": False, "conv_out": False}
    assert recorded == {"down_blocks[0]": True, **(late if needs_output else {})}


def test_a_pass_that_stops_early_may_be_recomputed(
    tiny_backbone: Backbone, target: Tensor, start: Tensor
) -> None:
    predictor = make_predictor(tiny_backbone, tiny_backbone.taps[:3])
    conditioning = tiny_backbone.encode_prompts(PROMPTS)
    checkpointing = Execution(checkpointing=True).prepare(tiny_backbone)
    checkpointing.denoiser.train()
    plain, recomputed = (
        compute_edge_gradient(b, start, WHEN, conditioning, predictor, target, needs_output=False).gradient
        for b in (tiny_backbone, checkpointing)
    )
    assert torch.allclose(recomputed, plain, rtol=1e-5, atol=1e-7)


def test_a_predictor_of_the_noise_needs_the_output_all_the_same(
    tiny_backbone: Backbone, target: Tensor, start: Tensor
) -> None:
    predictor = make_predictor(tiny_backbone, tiny_backbone.taps[:3], time="noise-map")
    conditioning = tiny_backbone.encode_prompts(PROMPTS)
    leaf = start.clone().requires_grad_()
    output, features = tiny_backbone.read(leaf, WHEN, conditioning, tiny_backbone.taps)
    noise = read_noise(predictor, tiny_backbone, output, leaf, WHEN)
    edges = predictor(features, WHEN.expand(3), (16, 16), noise)
    (expected,) = torch.autograd.grad((edges - target).square().sum(), leaf)
    step = compute_edge_gradient(
        tiny_backbone, start, WHEN, conditioning, predictor, target, needs_output=False
    )
    assert torch.allclose(step.gradient, expected, rtol=1e-5, atol=1e-7)


def test_repeated_updates_do_not_run_late_blocks(
    tiny_backbone: Backbone, target: Tensor, start: Tensor
) -> None:
    predictor = make_predictor(tiny_backbone, tiny_backbone.taps[:3])
    schedule = GuidanceSchedule(repeats=Repeats(times=3, above=0.0))
    entered = {"down_blocks[0]": 0, "conv_out": 0}

    def count(name: str) -> None:
        entered[name] += 1

    handles = [
        find_module(tiny_backbone.denoiser, name).register_forward_pre_hook(lambda *_, name=name: count(name))
        for name in entered
    ]
    settings = SamplerSettings(steps=2, guidance_scale=1.0)
    sample(
        tiny_backbone,
        PROMPTS,
        start,
        settings,
        SketchGuidance(predictor, target, stop=0.0, schedule=schedule),
    )
    for handle in handles:
        handle.remove()
    # Two steps; the first is followed by two more gradients at the next timestep.
    assert entered == {"down_blocks[0]": 4, "conv_out": 2}


def test_a_tap_that_is_none_is_one_line(tiny_backbone: Backbone) -> None:
    with pytest.raises(LepbenchError, match=r"no tap 'mid_block.resnet\[0\]'; did you mean 'mid_"):
        select_taps(tiny_backbone, ["mid_block.resnet[0]"])


def test_taps_keep_the_order_of_the_backbone(tiny_backbone: Backbone) -> None:
    first, second, *_ = tiny_backbone.taps
    assert list(select_taps(tiny_backbone, [second, first])) == [first, second]
    assert select_taps(tiny_backbone, None) == tiny_backbone.tap_channels
