"""Every family is sampled as its own pipeline in diffusers samples it, and is steered sample by sample."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from tiny_pipelines import BUILDERS, save_tiny
from torch import Tensor

from lepbench.backbones import Backbone, load_backbone
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings, SketchGuidance, sample
from lepbench.guidance.schedulers import SCHEDULERS
from lepbench.predictors import MlpConfig, MlpPredictor
from lepbench.seeds import generator, noise

PROMPTS = ["a red fish", "Two blue boats"]
SHAPE = (4, 8, 12)
STEPS = 3
FLOWS = ("sd3", "sd3-without-t5", "flux-dev", "flux-schnell")


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """From a family's name to its tiny pipeline's folder; made once."""
    root = tmp_path_factory.mktemp("pipelines")
    return cache(lambda name: save_tiny(name, root / name))


@pytest.fixture(params=list(BUILDERS))
def backbone(request: pytest.FixtureRequest, folder_of) -> Backbone:
    return load_backbone(folder_of(request.param))


@pytest.fixture
def start() -> Tensor:
    return torch.stack([noise(i, SHAPE) for i in range(len(PROMPTS))])


def generators(count: int = len(PROMPTS)) -> list[torch.Generator]:
    return [generator(100 + i) for i in range(count)]


def fitting(name: str) -> str:
    return "flow_euler" if name in FLOWS else "ddim"


def packed(latents: Tensor) -> Tensor:
    """Flux's tokens, spelt out: 2 x 2 patches row by row, channels outermost inside a patch."""
    rows = [
        torch.stack(
            [latents[:, :, y : y + 2, x : x + 2].flatten(1) for x in range(0, latents.shape[3], 2)], 1
        )
        for y in range(0, latents.shape[2], 2)
    ]
    return torch.cat(rows, dim=1)


def stock_sample(folder: Path, start: Tensor, cfg: float, scheduler: str) -> tuple[Any, dict[str, Any]]:
    """The stock pipeline with that scheduler, and the arguments of a call."""
    left_out = ("text_encoder_3", "tokenizer_3") if folder.name == "sd3-without-t5" else ()
    pipeline = diffusers.DiffusionPipeline.from_pretrained(folder, **dict.fromkeys(left_out))
    pipeline.set_progress_bar_config(disable=True)
    kind = SCHEDULERS.get(scheduler)
    pipeline.register_modules(
        scheduler=getattr(diffusers, kind.class_name).from_config(pipeline.scheduler.config, **kind.overrides)
    )
    flux = isinstance(pipeline, diffusers.FluxPipeline)
    arguments = {
        "prompt": PROMPTS,
        "num_inference_steps": STEPS,
        "guidance_scale": cfg,
        "latents": packed(start) if flux else start,
        "generator": generators(),
        "height": SHAPE[1] * 4,
        "width": SHAPE[2] * 4,
    }
    if "pixart" in folder.name:
        arguments["use_resolution_binning"] = False
    return pipeline, arguments


CASES = [
    (name, scheduler, cfg)
    for name in BUILDERS
    for scheduler in SCHEDULERS
    for cfg in (4.0, 1.0)
    if (name in FLOWS) == SCHEDULERS.get(scheduler).flow and (cfg == 4.0 or scheduler == fitting(name))
]


@pytest.mark.parametrize(("name", "scheduler", "cfg"), CASES)
def test_unguided_is_the_stock_pipeline(name: str, scheduler: str, cfg: float, folder_of, start) -> None:
    pipeline, arguments = stock_sample(folder_of(name), start, cfg, scheduler)
    expected = pipeline(**arguments, output_type="latent").images
    settings = SamplerSettings(steps=STEPS, scheduler=scheduler, guidance_scale=cfg)
    ours = sample(load_backbone(folder_of(name)), PROMPTS, start, settings, generators=generators()).latents
    # Random weights in sigma space reach values of fifty: 1e-5 of the largest.
    found, largest = packed(ours) if expected.ndim == 3 else ours, max(1.0, expected.abs().max().item())
    assert (found - expected).abs().max() < 1e-5 * largest
    assert (ours - start).abs().max() > 0.1


@pytest.mark.parametrize("name", list(BUILDERS))
def test_pictures_are_the_stock_pipelines(name: str, folder_of, start) -> None:
    pipeline, arguments = stock_sample(folder_of(name), start, 4.0, fitting(name))
    expected = pipeline(**arguments, output_type="pt").images
    backbone = load_backbone(folder_of(name))
    settings = SamplerSettings(steps=STEPS, scheduler=fitting(name))
    drawn = backbone.decode_latents(sample(backbone, PROMPTS, start, settings).latents)
    assert torch.allclose(drawn, expected, atol=1e-5)


def reader(backbone: Backbone) -> MlpPredictor:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        config = MlpConfig(taps=backbone.tap_channels, out_channels=4, train_timesteps=1000, hidden=(16, 8))
        return MlpPredictor(config).requires_grad_(False).eval()


def test_the_sketch_pulls_every_sample_alone(backbone: Backbone, start) -> None:
    name = "flow_euler" if backbone.family.flow else "ddim"
    settings = SamplerSettings(steps=STEPS, scheduler=name)
    predictor = reader(backbone)
    target = torch.stack([noise(70 + i, SHAPE) for i in range(len(PROMPTS))])
    guided = sample(backbone, PROMPTS, start, settings, SketchGuidance(predictor, target, 1.6, 0.0))
    plain = sample(backbone, PROMPTS, start, settings, SketchGuidance(predictor, target, 0.0, 0.0))
    assert ((guided.latents - plain.latents).flatten(1).norm(dim=1) > 0.1).all()
    # Another sketch for the second sample moves it alone.
    other = target.clone()
    other[1] *= -1
    changed = sample(backbone, PROMPTS, start, settings, SketchGuidance(predictor, other, 1.6, 0.0))
    assert torch.allclose(changed.latents[0], guided.latents[0], atol=1e-4)
    assert (changed.latents[1] - guided.latents[1]).abs().max() > 1e-3


def test_the_shift_is_beta_times_the_step_long(backbone: Backbone, start) -> None:
    # In one step to the end, which may be at t = 0 already, so that nothing comes after the shift.
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
def test_a_scheduler_of_the_other_kind_is_one_line(name: str, scheduler: str, folder_of, start) -> None:
    with pytest.raises(LepbenchError, match=f"'{scheduler}' does not fit .* choose one of: "):
        sample(load_backbone(folder_of(name)), PROMPTS, start, SamplerSettings(scheduler=scheduler))
