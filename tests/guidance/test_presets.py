"""Presets on every kind of pipeline, and what they cost."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import diffusers
import pytest
import torch
from tiny_pipelines import SCALED, flux, lcm, sd, sd3, sdxl

from lepbench.backbones import Backbone
from lepbench.backbones.cost import Passes, count_passes
from lepbench.config import parse_config
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings, SketchGuidance, sample
from lepbench.guidance.diffusers_backbone import wrap_pipeline
from lepbench.guidance.pipeline import SketchGuidedPipeline
from lepbench.guidance.preset_cost import LITERAL_GRADIENTS, LITERAL_PASSES, divide_literal
from lepbench.guidance.presets import PRESETS, Preset
from lepbench.guidance.schedulers import imply_sampler
from lepbench.methods import LepConfig
from lepbench.predictors import MlpConfig, MlpPredictor
from lepbench.seeds import draw_noise, make_generator

QUICK: dict[str, Any] = {name: {"steps": 5} for name in PRESETS if PRESETS.get(name).steps > 12}
"""A preset of many steps is run in few."""


TRAILING = {**SCALED, "timestep_spacing": "trailing", "steps_offset": 1}


def sd_turbo() -> Any:
    return sd(scheduler=diffusers.EulerDiscreteScheduler(**TRAILING))


def sdxl_turbo() -> Any:
    return sdxl(scheduler=diffusers.EulerAncestralDiscreteScheduler(**TRAILING))


KINDS = {"sd": sd, "sdxl": sdxl, "sd3": sd3, "flux": flux, "lcm": lcm, "sd-turbo": sd_turbo}
KINDS["sdxl-turbo"] = sdxl_turbo


@pytest.fixture(scope="module")
def pipeline_of() -> Callable[[str], Any]:
    @cache
    def make(kind: str) -> Any:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return KINDS[kind]()

    return make


def make_predictor(backbone: Backbone) -> MlpPredictor:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        config = MlpConfig(taps=backbone.tap_channels, out_channels=4, train_timesteps=1000, hidden=(8,))
        return MlpPredictor(config).requires_grad_(False).eval()


def draw(backbone: Backbone, preset: Preset, guided: bool = True, **given: Any) -> tuple[Any, Passes]:
    """Latents of one image by a preset, and the passes that they took."""
    settings = parse_config(preset.sampler(imply_sampler(backbone) | given), SamplerSettings, "")
    noise = draw_noise(0, (4, 8, 8))[None]
    steering = LepConfig.model_validate(preset.steering())
    guide = steering.steer(make_predictor(backbone))(torch.ones_like(noise)) if guided else None
    with count_passes(backbone.denoiser) as passes:
        drawn = sample(backbone, ["a red fish"], noise, settings, guide, generators=[make_generator(0)])
    return drawn.latents, passes


@pytest.mark.parametrize("kind", ["sd", "sdxl", "sd3", "flux", "lcm"])
@pytest.mark.parametrize("name", list(PRESETS))
def test_a_preset_guides_every_family(name: str, kind: str, pipeline_of: Callable[[str], Any]) -> None:
    backbone, preset = wrap_pipeline(pipeline_of(kind)), PRESETS.get(name)
    guided, passes = draw(backbone, preset, **QUICK.get(name, {}))
    plain, _ = draw(backbone, preset, guided=False, **QUICK.get(name, {}))
    assert torch.isfinite(guided).all()
    assert (guided - plain).abs().max() > 1e-3
    assert passes.steered > 0


@pytest.mark.parametrize("kind", ["sd-turbo", "sdxl-turbo"])
@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("name", list(PRESETS))
def test_a_preset_guides_a_backbone_of_few_steps(
    name: str, steps: int, kind: str, pipeline_of: Callable[[str], Any]
) -> None:
    backbone, preset = wrap_pipeline(pipeline_of(kind)), PRESETS.get(name)
    guided, passes = draw(backbone, preset, steps=steps, guidance_scale=1.0, timestep_spacing="trailing")
    assert torch.isfinite(guided).all()
    # There is no unconditional pass; a repeated update is one more conditional one.
    assert passes.total - passes.steered <= steps
    assert passes.steered >= 1


def test_a_scale_of_none_is_that_of_the_turbo_pipelines(pipeline_of: Callable[[str], Any]) -> None:
    pipe = pipeline_of("sd-turbo")
    pipe.set_progress_bar_config(disable=True)
    guided = SketchGuidedPipeline.from_pipe(pipe, make_predictor(wrap_pipeline(pipe)))
    sketch = torch.zeros(64, 64)
    sketch[:, 30] = 1.0
    call: dict[str, Any] = {"sketch": sketch, "seed": 0, "num_inference_steps": 2, "output_type": "pt"}
    none, one = (guided("a fish", guidance_scale=scale, **call).images for scale in (0.0, 1.0))
    assert torch.equal(none, one)
    with pytest.raises(LepbenchError, match="give 1 for no guidance"):
        draw(wrap_pipeline(pipe), PRESETS.get("fast"), steps=1, guidance_scale=0.0)


@pytest.mark.parametrize("name", list(PRESETS))
def test_the_cost_of_a_preset_is_what_is_counted(name: str, pipeline_of: Callable[[str], Any]) -> None:
    # The tiny pipeline has the training schedule of Stable Diffusion 1.5.
    backbone, preset = wrap_pipeline(pipeline_of("sd")), PRESETS.get(name)
    # Of an even schedule a part is enough.
    part = 25 if name == "paper" else 1
    _, passes = draw(backbone, preset, guidance_scale=4.0, steps=preset.steps // part)
    assert (preset.passes, preset.gradients) == (part * passes.total, part * passes.steered)


def test_the_literal_setting_is_that_of_the_papers_preset() -> None:
    paper = PRESETS.get("paper")
    assert (paper.passes, paper.gradients) == (LITERAL_PASSES, LITERAL_GRADIENTS)
    # Literally, the backward pass goes through both halves.
    assert divide_literal(paper) == pytest.approx((500 * 0.803 + 250 * 0.661) / (500 * 0.803 + 125 * 0.661))


def test_a_spacing_belongs_to_the_presets_scheduler() -> None:
    preset = Preset(
        steps=8, scheduler="unipc", timestep_spacing="trailing", scale=1.0, stop=0.2, passes=16, gradients=7
    )
    assert preset.sampler()["timestep_spacing"] == "trailing"
    assert preset.sampler({"scheduler": "unipc", "steps": 4})["timestep_spacing"] == "trailing"
    assert preset.sampler({"scheduler": "flow_euler"}) == {"steps": 8, "scheduler": "flow_euler"}
    spaced = preset.sampler({"scheduler": "ddim", "timestep_spacing": "linspace"})
    assert (spaced["scheduler"], spaced["timestep_spacing"]) == ("ddim", "linspace")


def test_steering_is_what_the_method_takes() -> None:
    for name in PRESETS:
        config = LepConfig.model_validate(PRESETS.get(name).steering())
        assert isinstance(config.steer(None)(torch.zeros(1)), SketchGuidance)  # type: ignore[arg-type]
