"""Options that leave out passes: what is counted and reused, and that their defaults change nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lepbench.backbones import Backbone, Conditioning, load_backbone
from lepbench.backbones.cost import count_passes
from lepbench.config import dump_config
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings, SketchGuidance, sample
from lepbench.guidance.feature_updates import descend_features
from lepbench.guidance.gradient import GuidanceStep, compute_edge_gradient
from lepbench.guidance.guidance_schedule import GuidanceSchedule, Repeats
from lepbench.guidance.schedulers import make_scheduler
from lepbench.methods.lep import LepConfig
from lepbench.methods.model import ModelConfig
from lepbench.predictors import MlpPredictor

PROMPTS = ["a red fish", "two blue boats", "x"]
WHEN = torch.tensor(501)


@dataclass(frozen=True)
class ConstantGuidance:
    """A gradient that is the same at every latent, and counts how often it is asked for."""

    schedule: GuidanceSchedule
    direction: Tensor
    scale: float = 1.0
    stop: float = 0.0
    asked: list[int] = field(default_factory=list)

    def step(
        self,
        backbone: Backbone,
        z: Tensor,
        timestep: Tensor,
        conditioning: Conditioning,
        needs_output: bool = True,
    ) -> GuidanceStep:
        self.asked.append(int(timestep))
        return GuidanceStep(backbone.predict(z, timestep, conditioning), None, self.direction)

    def check(self, noise: Tensor) -> None:
        pass


def test_an_unconditional_pass_that_ends_leaves_the_conditional_one(
    tiny_backbone: Backbone, start: Tensor
) -> None:
    ended = sample(tiny_backbone, PROMPTS, start, SamplerSettings(steps=4, guidance_stop=1.0)).latents
    never = sample(tiny_backbone, PROMPTS, start, SamplerSettings(steps=4, guidance_scale=1.0)).latents
    assert torch.allclose(ended, never, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "passes"),
    [
        ({}, 16),
        ({"guidance_every": 2}, 12),
        ({"guidance_every": 3}, 11),
        ({"guidance_every": 8}, 9),
        ({"guidance_stop": 0.5}, 12),
        ({"guidance_stop": 0.5, "guidance_every": 2}, 10),
    ],
)
def test_passes_of_eight_steps(
    settings: dict[str, float], passes: int, tiny_backbone: Backbone, start: Tensor
) -> None:
    sampler = SamplerSettings(steps=8, timestep_spacing="trailing", **settings)
    with count_passes(tiny_backbone.denoiser) as counted:
        sample(tiny_backbone, PROMPTS[:1], start[:1], sampler)
    assert counted.total == passes


def test_a_last_timestep_of_zero_is_guided(tiny_folder_of: Callable[[str], Path]) -> None:
    backbone = load_backbone(tiny_folder_of("sdxl"))
    assert make_scheduler("ddim", backbone, 3).timesteps[-1] == 0
    noise = torch.randn(1, *backbone.latent_shape(backbone.choose_size(None, None)))
    with count_passes(backbone.denoiser) as counted:
        sample(backbone, PROMPTS[:1], noise, SamplerSettings(steps=3))
    assert counted.total == 6


def test_the_last_difference_stands_for_the_unconditional_pass(
    tiny_backbone: Backbone, start: Tensor
) -> None:
    # Two DDIM steps by hand, the second with the difference of the first.
    settings = SamplerSettings(steps=2, scheduler="ddim", guidance_scale=3.0, guidance_every=2)
    conditioning, empty = tiny_backbone.conditions(PROMPTS, 3.0)
    assert empty is not None
    scheduler, latents, difference = make_scheduler("ddim", tiny_backbone, 2), start, None
    for timestep in scheduler.timesteps:
        conditional = tiny_backbone.predict(latents, timestep, conditioning)
        if difference is None:
            difference = conditional - tiny_backbone.predict(latents, timestep, empty)
        latents = scheduler.step(conditional + 2 * difference, timestep, latents).prev_sample
    drawn = sample(tiny_backbone, PROMPTS, start, settings).latents
    assert torch.allclose(drawn, latents, atol=1e-5)


@pytest.mark.parametrize(("every", "asked"), [(1, 6), (2, 3), (4, 2), (16, 1)])
def test_a_direction_that_never_changes_may_be_reused(
    every: int, asked: int, tiny_backbone: Backbone, start: Tensor, target: Tensor
) -> None:
    settings = SamplerSettings(steps=6)
    fresh = ConstantGuidance(GuidanceSchedule(), target)
    reused = ConstantGuidance(GuidanceSchedule(every=every), target)
    expected, drawn = (
        sample(tiny_backbone, PROMPTS, start, settings, guide).latents for guide in (fresh, reused)
    )
    assert torch.allclose(drawn, expected, atol=1e-4)
    assert (len(fresh.asked), len(reused.asked)) == (6, asked)


def test_repeated_updates_are_of_steps_with_a_gradient(
    tiny_backbone: Backbone, start: Tensor, target: Tensor
) -> None:
    guide = ConstantGuidance(GuidanceSchedule(every=2, repeats=Repeats(times=3, above=0.0)), target)
    sample(tiny_backbone, PROMPTS, start, SamplerSettings(steps=4), guide)
    # Steps 0 and 2 have a gradient of their own and two at the next timestep.
    times = make_scheduler("ddim", tiny_backbone, 4).timesteps.tolist()
    assert guide.asked == [times[0], times[1], times[1], times[2], times[3], times[3]]


def test_one_update_of_the_features_has_the_direction_of_the_loss(
    tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    conditioning = tiny_backbone.encode_prompts(PROMPTS)
    plain = compute_edge_gradient(tiny_backbone, start, WHEN, conditioning, predictor, target).gradient
    # From where `descend_features` ends after one update, by the same backward pass.
    with torch.enable_grad():
        leaf = start.clone().requires_grad_()
        _, features = tiny_backbone.read(leaf, WHEN, conditioning, list(predictor.config.taps))

        def measure(read: Mapping[str, Tensor]) -> Tensor:
            edges = predictor(read, WHEN.expand(3), (16, 16), None)
            return (edges - target).square().flatten(1).sum(1)

        moved = descend_features(features, measure, 1)
        half = torch.stack([(features[n] - moved[n]).square().sum() for n in moved]).sum() / 2
        (gradient,) = torch.autograd.grad(half, leaf)
    cosines = torch.cosine_similarity(plain.flatten(1), gradient.flatten(1))
    assert torch.allclose(cosines, torch.ones(3), atol=1e-4)


@given(st.integers(1, 6), st.floats(0.1, 10), st.floats(-5, 5))
def test_features_of_a_linear_predictor_halve_their_error_at_each_update(
    updates: int, weight: float, wanted: float
) -> None:
    features = {"a": torch.randn(2, 3, 1, 1, generator=torch.Generator().manual_seed(0))}

    def measure(read: Mapping[str, Tensor]) -> Tensor:
        return (weight * read["a"].sum((1, 2, 3)) - wanted).square()

    before = measure(features).sqrt()
    after = measure(descend_features(features, measure, updates)).sqrt()
    assert torch.allclose(after, before / 2**updates, rtol=1e-3, atol=1e-4)


def test_more_updates_change_the_picture_and_keep_samples_apart(
    tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    settings, guide = SamplerSettings(steps=3), SketchGuidance(predictor, target, stop=0.0, feature_updates=4)
    together = sample(tiny_backbone, PROMPTS, start, settings, guide).latents
    plain = sample(
        tiny_backbone, PROMPTS, start, settings, dataclasses.replace(guide, feature_updates=1)
    ).latents
    alone = sample(
        tiny_backbone,
        PROMPTS[1:2],
        start[1:2],
        settings,
        dataclasses.replace(guide, target_latents=target[1:2]),
    ).latents
    assert not torch.allclose(together, plain, atol=1e-3)
    assert torch.allclose(together[1:2], alone, atol=1e-4)


@pytest.mark.parametrize("spacing", ["leading", "linspace", "trailing"])
def test_timesteps_are_spaced_as_diffusers_spaces_them(spacing: str, tiny_backbone: Backbone) -> None:
    from diffusers import UniPCMultistepScheduler

    expected = UniPCMultistepScheduler.from_config(dict(tiny_backbone.scheduler), timestep_spacing=spacing)
    expected.set_timesteps(8)
    made = make_scheduler("unipc", tiny_backbone, 8, spacing=spacing)
    assert torch.equal(made.timesteps, expected.timesteps)


def test_a_scheduler_without_spacing_is_refused(tiny_folder_of: Callable[[str], Path]) -> None:
    flow = load_backbone(tiny_folder_of("sd3"))
    with pytest.raises(LepbenchError, match="FlowMatchEulerDiscreteScheduler has no timestep_spacing"):
        make_scheduler("flow_euler", flow, 4, spacing="trailing")


def test_defaults_are_not_written() -> None:
    written = dump_config(ModelConfig.model_validate({"name": "x", "method": {"name": "lep"}}))
    for key in ("timestep_spacing", "guidance_stop", "guidance_every", "every", "feature_updates"):
        assert key not in written
    changed = LepConfig(every=2, feature_updates=3)  # type: ignore[call-arg]
    assert LepConfig.model_validate(changed.model_dump()) == changed
