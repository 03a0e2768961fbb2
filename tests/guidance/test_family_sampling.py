"""Every family is sampled as its own pipeline in diffusers samples it, and is steered sample by sample."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from tiny_pipelines import BUILDERS, PACKED, normalise, pack
from torch import Tensor

from lepbench.backbones import Backbone, load_backbone
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings, SketchGuidance, sample
from lepbench.guidance.schedulers import SCHEDULERS
from lepbench.predictors import MlpConfig, MlpPredictor
from lepbench.seeds import draw_noise, make_generator

DRAWN = ["sdxl", "sd3", "flux-dev", "pixart-sigma", "sana", "z-image", "qwen-image", "flux2-klein"]
PROMPTS = ["a red fish", "Two blue boats"]
SHAPE = (4, 8, 16)
STEPS = 3
KLEIN = ("flux2-klein", "flux2-klein-distilled")
FLOWS = ("sd3", "sd3-without-t5", "sd35", "flux-dev", "flux-schnell", "sana", "z-image", "qwen-image", *KLEIN)


@pytest.fixture(scope="module")
def loaded(tiny_folder_of: Callable[[str], Path]) -> Any:
    """From a family's name to its backbone."""
    return cache(lambda name: load_backbone(tiny_folder_of(name)))


@pytest.fixture(scope="module")
def stock_of(tiny_folder_of: Callable[[str], Path]) -> Any:
    """From a family's name to its pipeline in diffusers."""

    def load(name: str) -> Any:
        left_out = ("text_encoder_3", "tokenizer_3") if name == "sd3-without-t5" else ()
        pipeline = diffusers.DiffusionPipeline.from_pretrained(
            tiny_folder_of(name), **dict.fromkeys(left_out)
        )
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    return cache(load)


@pytest.fixture(params=list(BUILDERS))
def backbone(request: pytest.FixtureRequest, loaded: Any) -> Backbone:
    return loaded(request.param)


@pytest.fixture
def start() -> Tensor:
    return torch.stack([draw_noise(i, SHAPE) for i in range(len(PROMPTS))])


def generators(count: int = len(PROMPTS)) -> list[torch.Generator]:
    return [make_generator(100 + i) for i in range(count)]


def fitting(name: str) -> str:
    return "flow_euler" if name in FLOWS else "ddim"


SHIFTED = {
    ("SanaPipeline", "flow_euler"): {"shift": 3.0},
    ("StableDiffusion3Pipeline", "flow_dpmpp"): {"flow_shift": 3.0},
}
"""The timestep shift of a folder's scheduler, where another one has another name for it."""


def takes(pipeline: Any, option: str) -> bool:
    return option in inspect.signature(pipeline.__call__).parameters


def drawn_by(pipeline: Any, start: Tensor, cfg: float, scheduler: str, output_type: str) -> Tensor:
    """What a stock pipeline draws with that scheduler."""
    kind = SCHEDULERS.get(scheduler)
    settings = kind.overrides | SHIFTED.get((type(pipeline).__name__, scheduler), {})
    pipeline.register_modules(
        scheduler=getattr(diffusers, kind.class_name).from_config(pipeline.scheduler.config, **settings)
    )
    extra: dict[str, Any] = {"guidance_scale": cfg}
    if takes(pipeline, "use_resolution_binning"):
        extra["use_resolution_binning"] = False
    if takes(pipeline, "true_cfg_scale") and not isinstance(pipeline, diffusers.FluxPipeline):
        extra = {"true_cfg_scale": cfg, "negative_prompt": [" "] * len(PROMPTS) if cfg > 1 else None}
    return pipeline(
        # Z-Image's changes the list.
        prompt=list(PROMPTS),
        num_inference_steps=STEPS,
        latents=pack(start) if type(pipeline).__name__ in PACKED else start,
        generator=generators(),
        height=SHAPE[1] * 4,
        width=SHAPE[2] * 4,
        output_type=output_type,
        **extra,
    ).images


# Every scheduler with a pipeline that predicts v and one that predicts noise; of the others their own.
CASES = [
    *(
        (name, scheduler, 4.0)
        for name in ("sd-v", "sdxl")
        for scheduler in SCHEDULERS
        if not SCHEDULERS.get(scheduler).flow
    ),
    *(("lcm", scheduler, cfg) for scheduler in ("lcm", "unipc") for cfg in (0.5, 7.3)),
    *((name, "dpmpp", 4.0) for name in ("pixart-sigma", "pixart-alpha")),
    *((name, "flow_euler", 4.0) for name in FLOWS),
    *((name, "flow_dpmpp", 4.0) for name in ("sd3", "sana")),
    *((name, "flow_euler", cfg) for name in ("flux-dev", "flux-schnell", "z-image") for cfg in (0.0, 0.5)),
    *((name, fitting(name), 1.0) for name in BUILDERS),
]


@pytest.mark.parametrize(("name", "scheduler", "cfg"), CASES)
def test_unguided_is_the_stock_pipeline(
    name: str, scheduler: str, cfg: float, loaded: Any, stock_of: Any, start: Tensor
) -> None:
    pipeline = stock_of(name)
    own = pipeline.scheduler
    expected = normalise(pipeline, drawn_by(pipeline, start, cfg, scheduler, "latent"))
    pipeline.register_modules(scheduler=own)
    settings = SamplerSettings(steps=STEPS, scheduler=scheduler, guidance_scale=cfg)
    ours = sample(loaded(name), PROMPTS, start, settings, generators=generators()).latents
    # Random weights in sigma space reach values of fifty: 1e-5 of the largest.
    found, largest = pack(ours) if expected.ndim == 3 else ours, max(1.0, expected.abs().max().item())
    assert (found - expected).abs().max() < 1e-5 * largest
    assert (ours - start).abs().max() > 0.1


@pytest.mark.parametrize(
    "name", ["sdxl", "sd3", "flux-dev", "pixart-sigma", "sana", "z-image", "qwen-image", "flux2-klein"]
)
def test_pictures_are_the_stock_pipelines(name: str, loaded: Any, stock_of: Any, start: Tensor) -> None:
    expected = drawn_by(stock_of(name), start, 4.0, fitting(name), "pt")
    settings = SamplerSettings(steps=STEPS, scheduler=fitting(name))
    backbone = loaded(name)
    drawn = backbone.decode_latents(sample(backbone, PROMPTS, start, settings).latents)
    assert torch.allclose(drawn, expected, atol=1e-5)


def reader(backbone: Backbone) -> MlpPredictor:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        config = MlpConfig(taps=backbone.tap_channels, out_channels=4, train_timesteps=1000, hidden=(16, 8))
        return MlpPredictor(config).requires_grad_(False).eval()


@pytest.mark.slow
def test_the_sketch_pulls_every_sample_alone(backbone: Backbone, start: Tensor) -> None:
    name = "flow_euler" if backbone.family.flow else "ddim"
    settings = SamplerSettings(steps=STEPS, scheduler=name)
    predictor = reader(backbone)
    target = torch.stack([draw_noise(70 + i, SHAPE) for i in range(len(PROMPTS))])
    guided = sample(backbone, PROMPTS, start, settings, SketchGuidance(predictor, target, 1.6, 0.0))
    plain = sample(backbone, PROMPTS, start, settings, SketchGuidance(predictor, target, 0.0, 0.0))
    assert ((guided.latents - plain.latents).flatten(1).norm(dim=1) > 0.1).all()
    # Another sketch for the second sample moves it alone.
    other = target.clone()
    other[1] *= -1
    changed = sample(backbone, PROMPTS, start, settings, SketchGuidance(predictor, other, 1.6, 0.0))
    assert torch.allclose(changed.latents[0], guided.latents[0], atol=1e-4)
    assert (changed.latents[1] - guided.latents[1]).abs().max() > 1e-3


def test_the_shift_is_beta_times_the_step_long(backbone: Backbone, start: Tensor) -> None:
    # In one step to the end, which may be at t = 0 already, so that nothing comes after the shift.
    if backbone.scheduler.get("shift_terminal"):
        pytest.skip("its schedule has no single step")
    name = "flow_euler" if backbone.family.flow else "ddim"
    settings = SamplerSettings(steps=1, scheduler=name)
    predictor = reader(backbone)
    guided, plain = (
        sample(
            backbone, PROMPTS, start, settings, SketchGuidance(predictor, torch.ones_like(start), scale, -1)
        )
        for scale in (0.7, 0.0)
    )
    shift = (guided.latents - plain.latents).flatten(1).norm(dim=1)
    assert torch.allclose(shift, 0.7 * (plain.latents - start).flatten(1).norm(dim=1), rtol=1e-3)


@pytest.mark.parametrize(("name", "scheduler"), [("sd3", "ddim"), ("sdxl", "flow_euler")])
def test_a_scheduler_of_the_other_kind_is_one_line(
    name: str, scheduler: str, loaded: Any, start: Tensor
) -> None:
    with pytest.raises(LepbenchError, match=f"'{scheduler}' does not fit .* choose one of: "):
        sample(loaded(name), PROMPTS, start, SamplerSettings(scheduler=scheduler))


def test_a_single_step_of_a_stretched_schedule_is_one_line(loaded: Any, start: Tensor) -> None:
    settings = SamplerSettings(scheduler="flow_euler", steps=1)
    with pytest.raises(LepbenchError, match="FlowMatchEulerDiscreteScheduler takes no 1 steps: "):
        sample(loaded("qwen-image"), PROMPTS, start, settings)


def test_what_a_network_keeps_is_not_made_in_inference_mode(loaded: Any, start: Tensor) -> None:
    seen = {}
    for name in ("sd3", "qwen-image"):
        backbone = loaded(name)
        handle = backbone.denoiser.register_forward_pre_hook(
            lambda *_, name=name: seen.update({name: torch.is_inference_mode_enabled()})
        )
        predicted = backbone.predict(start, 500, backbone.encode_prompts(PROMPTS))
        handle.remove()
        assert not predicted.requires_grad
    assert seen == {"sd3": True, "qwen-image": False}


@pytest.mark.parametrize("name", ["sdxl", "sd3"])
def test_a_scale_under_one_is_for_networks_that_are_told_it(name: str, loaded: Any, start: Tensor) -> None:
    settings = SamplerSettings(scheduler=fitting(name), guidance_scale=0.5)
    with pytest.raises(LepbenchError, match=r"guidance_scale 0.5 is below 1, .*; give 1 for no guidance"):
        sample(loaded(name), PROMPTS, start, settings)
