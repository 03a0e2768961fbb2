from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from pathlib import Path

import diffusers
import pytest
import torch
from diffusers import StableDiffusionPipeline
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings, SketchGuidance, sample
from lepbench.guidance.schedulers import SCHEDULERS, make_scheduler, shift_sample
from lepbench.predictors import MlpConfig, MlpPredictor
from lepbench.seeds import draw_noise, make_generator

PROMPTS = ["a red fish", "two blue boats", "x"]
STEPS = 4
FITTING = [name for name in SCHEDULERS if not SCHEDULERS.get(name).flow]


def generators(count: int = len(PROMPTS)) -> list[torch.Generator]:
    return [make_generator(100 + i) for i in range(count)]


@pytest.fixture(scope="module")
def stock(tiny_pipeline_folder: Path) -> StableDiffusionPipeline:
    pipeline = StableDiffusionPipeline.from_pretrained(tiny_pipeline_folder, use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.mark.parametrize("name", FITTING)
@pytest.mark.parametrize("cfg", [4.0, 1.0])
def test_unguided_is_the_stock_pipeline(
    name: str, cfg: float, tiny_backbone: Backbone, stock: StableDiffusionPipeline, start: Tensor
) -> None:
    kind = SCHEDULERS.get(name)
    scheduler = getattr(diffusers, kind.class_name).from_config(
        dict(tiny_backbone.scheduler), **kind.overrides
    )
    stock.register_modules(scheduler=scheduler)
    expected = stock(
        PROMPTS,
        num_inference_steps=STEPS,
        guidance_scale=cfg,
        latents=start,
        generator=generators(),
        output_type="latent",
    ).images
    settings = SamplerSettings(steps=STEPS, scheduler=name, guidance_scale=cfg)
    ours = sample(tiny_backbone, PROMPTS, start, settings, generators=generators())
    assert ours.edges is None
    assert torch.allclose(ours.latents, expected, atol=1e-5)


def test_pictures_are_the_stock_pipelines(
    tiny_backbone: Backbone, stock: StableDiffusionPipeline, start: Tensor
) -> None:
    stock.register_modules(scheduler=make_scheduler("ddim", tiny_backbone, 2))
    expected = stock(
        PROMPTS, num_inference_steps=2, guidance_scale=4.0, latents=start, output_type="np"
    ).images
    ours = sample(tiny_backbone, PROMPTS, start, SamplerSettings(steps=2))
    pictures = tiny_backbone.decode_latents(ours.latents).movedim(1, -1)
    assert torch.allclose(pictures, torch.from_numpy(expected), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ddim", "euler_ancestral"])
def test_a_sample_does_not_depend_on_its_batch(
    name: str, tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    settings = SamplerSettings(steps=STEPS, scheduler=name)
    whole = sample(
        tiny_backbone, PROMPTS, start, settings, SketchGuidance(predictor, target, 1.6, 0.2), generators()
    )
    for i, source in enumerate(generators()):
        alone = sample(
            tiny_backbone,
            PROMPTS[i : i + 1],
            start[i : i + 1],
            settings,
            SketchGuidance(predictor, target[i : i + 1], 1.6, 0.2),
            [source],
        )
        assert torch.allclose(alone.latents, whole.latents[i : i + 1], atol=2e-4, rtol=1e-4)
        assert alone.edges is not None
        assert whole.edges is not None
        assert torch.allclose(alone.edges, whole.edges[i : i + 1], atol=1e-4)


def one_step(backbone: Backbone, start: Tensor, name: str = "ddim") -> Tensor:
    """z after the first of two unguided steps, by the scheduler's own call."""
    scheduler = make_scheduler(name, backbone, 2)
    text, empty = backbone.encode_prompts(PROMPTS), backbone.encode_prompts([""] * len(PROMPTS))
    with torch.no_grad():
        conditional = backbone.predict(start, scheduler.timesteps[0], text)
        without = backbone.predict(start, scheduler.timesteps[0], empty)
        return scheduler.step(without + 4.0 * (conditional - without), scheduler.timesteps[0], start)[0]


def first_step(backbone: Backbone, start: Tensor, guidance: SketchGuidance) -> Tensor:
    """z after the first of two guided steps, caught as the U-Net reads it in the second."""
    seen: list[Tensor] = []
    handle = backbone.denoiser.register_forward_pre_hook(
        lambda module, inputs: seen.append(inputs[0].detach())
    )
    try:
        sample(backbone, PROMPTS, start, SamplerSettings(steps=2), guidance)
    finally:
        handle.remove()
    return seen[-1][: len(start)]


def test_the_shift_is_beta_times_the_step_long_against_the_gradient(
    tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    plain = one_step(tiny_backbone, start)
    timestep = make_scheduler("ddim", tiny_backbone, 2).timesteps[0]
    guidance = SketchGuidance(predictor, target, scale=0.7, stop=0.5)
    assert float(timestep) > 500 > 0
    shift = plain - first_step(tiny_backbone, start, guidance)
    lengths = shift.flatten(1).norm(dim=1)
    assert torch.allclose(lengths, 0.7 * (plain - start).flatten(1).norm(dim=1), rtol=1e-3)

    # The gradient by differences, in double precision, of the loss written out.
    unet, reader = copy.deepcopy(tiny_backbone.denoiser).double(), copy.deepcopy(predictor).double()
    double = dataclasses.replace(tiny_backbone, denoiser=unet, dtype=torch.float64)
    told = tiny_backbone.encode_prompts(PROMPTS)

    def losses(z: Tensor) -> Tensor:
        with torch.no_grad():
            _, features = double.read(z, timestep, told, list(reader.config.taps))
            edges = reader(features, timestep.expand(len(z)), (16, 16))
        return (edges - target).square().sum(dim=(1, 2, 3))

    step = 1e-4
    for seed in range(3):
        way = draw_noise(seed, tuple(start.shape)).double()
        slope = (losses(start.double() + step * way) - losses(start.double() - step * way)) / (2 * step)
        along = (shift.double() / lengths[:, None, None, None] * way).sum(dim=(1, 2, 3))
        if seed == 0:
            norms = slope / along
        # slope = |gradient| x (unit gradient . way): the same norm must come out of every direction.
        assert torch.allclose(slope, norms * along, rtol=2e-2, atol=float(norms.abs().max()) * 2e-3)
    assert (norms > 0).all()


@pytest.mark.slow
def test_guided_euler_is_guided_ddim(
    tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    # In sigma space Euler's step is DDIM's, if DDIM too ends at no noise; and so guided, if lengths agree.
    clean_end = dataclasses.replace(
        tiny_backbone, scheduler={**tiny_backbone.scheduler, "set_alpha_to_one": True}
    )
    guidance = SketchGuidance(predictor, target, 1.6, 0.2)
    ddim = sample(clean_end, PROMPTS, start, SamplerSettings(steps=6, scheduler="ddim"), guidance)
    euler = sample(clean_end, PROMPTS, start, SamplerSettings(steps=6, scheduler="euler"), guidance)
    plain = sample(clean_end, PROMPTS, start, SamplerSettings(steps=6))
    assert torch.allclose(ddim.latents, euler.latents, atol=5e-3, rtol=5e-3)
    assert (ddim.latents - plain.latents).abs().max() > 0.5


@pytest.mark.parametrize("at", [0, 3])
@pytest.mark.parametrize("name", ["ddim", "pndm", "dpmpp", "unipc", "euler"])
def test_every_scheduler_keeps_a_shift_of_its_sample(name: str, at: int, tiny_backbone: Backbone) -> None:
    # Where the model sees no noise a sample is only rescaled from step to step, and so is a shift: one by a
    # tenth ends as a tenth, but for what multistep schedulers extrapolate from before it.
    def end(fraction: float) -> float:
        scheduler = make_scheduler(name, tiny_backbone, 40)
        z = torch.ones(1, 1, 1, 1) * scheduler.init_noise_sigma
        for step, timestep in enumerate(scheduler.timesteps):
            scheduler.scale_model_input(z, timestep)
            z = scheduler.step(torch.zeros_like(z), timestep, z).prev_sample
            if step == at:
                z = shift_sample(scheduler, z, fraction * z)
        return z.item()

    assert 1 - end(0.1) / end(0.0) == pytest.approx(0.1, rel=1e-4 if name in ("ddim", "euler") else 0.3)


@pytest.mark.slow
@pytest.mark.parametrize("name", FITTING)
def test_guidance_brings_the_predicted_edges_nearer(
    name: str, tiny_backbone: Backbone, predictor: MlpPredictor, start: Tensor
) -> None:
    # A reachable target: what the predictor says of another noise.
    settings = SamplerSettings(steps=5, scheduler=name)
    other = torch.stack([draw_noise(50 + i, (4, 16, 16)) for i in range(len(PROMPTS))])
    reading = SketchGuidance(predictor, torch.zeros_like(start), scale=0.0, stop=0.0)
    reachable = sample(tiny_backbone, PROMPTS, other, settings, reading, generators()).edges
    assert reachable is not None

    def distance(scale: float) -> Tensor:
        guidance = SketchGuidance(predictor, reachable, scale, stop=0.0)
        edges = sample(tiny_backbone, PROMPTS, start, settings, guidance, generators()).edges
        assert edges is not None
        return (edges - reachable).square().sum(dim=(1, 2, 3))

    assert (distance(1.0) < 0.8 * distance(0.0)).all()


class Counting(MlpPredictor):
    """Counts its calls, and may have no say in anything."""

    def __init__(self, config: MlpConfig) -> None:
        super().__init__(config)
        self.timesteps: list[int] = []

    def forward(
        self,
        features: Mapping[str, Tensor],
        timesteps: Tensor,
        size: tuple[int, int],
        noise: Tensor | None = None,
    ) -> Tensor:
        self.timesteps.append(int(timesteps[0]))
        return super().forward(features, timesteps, size, noise)


@pytest.fixture
def counting(predictor: MlpPredictor) -> Counting:
    other = Counting(predictor.config)
    other.load_state_dict(predictor.state_dict())
    return other.requires_grad_(False).eval()


@pytest.mark.slow
@pytest.mark.parametrize("stop", [0.0, 0.3, 0.5, 0.951, 1.0])
def test_steps_are_guided_while_t_is_above_the_stop(
    stop: float, tiny_backbone: Backbone, counting: Counting, target: Tensor, start: Tensor
) -> None:
    settings = SamplerSettings(steps=10)
    result = sample(tiny_backbone, PROMPTS, start, settings, SketchGuidance(counting, target, 1.6, stop))
    # Ten steps of a thousand, offset by one as Stable Diffusion has it: 901, 801, ... 1.
    assert counting.timesteps == [t for t in range(901, 0, -100) if t > stop * 1000]
    plain = sample(tiny_backbone, PROMPTS, start, settings)
    assert (result.edges is None) == (stop > 0.901)
    assert torch.equal(result.latents, plain.latents) == (stop > 0.901)


def test_no_gradient_means_no_shift(
    tiny_backbone: Backbone, counting: Counting, target: Tensor, start: Tensor
) -> None:
    for parameter in counting.slices.parameters():
        parameter.zero_()
    settings = SamplerSettings(steps=STEPS)
    guided = sample(tiny_backbone, PROMPTS, start, settings, SketchGuidance(counting, target, 1.6, 0.0))
    plain = sample(tiny_backbone, PROMPTS, start, settings)
    assert len(counting.timesteps) == STEPS
    assert torch.allclose(guided.latents, plain.latents, atol=1e-4)


def test_no_step_leaves_a_graph_or_a_hook_behind(
    tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    result = sample(
        tiny_backbone, PROMPTS, start, SamplerSettings(steps=2), SketchGuidance(predictor, target, 1.6, 0.0)
    )
    assert not result.latents.requires_grad
    assert result.edges is not None
    assert not result.edges.requires_grad
    assert not any(part._forward_hooks for part in tiny_backbone.denoiser.modules())
    assert all(parameter.grad is None for parameter in tiny_backbone.denoiser.parameters())


def test_steps_are_told(tiny_backbone: Backbone, start: Tensor) -> None:
    told: list[tuple[str, int, int]] = []
    sample(tiny_backbone, PROMPTS, start, SamplerSettings(steps=3), progress=lambda *step: told.append(step))
    assert told == [("denoising", 1, 3), ("denoising", 2, 3), ("denoising", 3, 3)]


def test_what_does_not_fit_is_one_line(
    tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    with pytest.raises(LepbenchError, match="scheduler 'ddpm' draws noise as it steps"):
        sample(tiny_backbone, PROMPTS, start, SamplerSettings(scheduler="ddpm"))
    with pytest.raises(LepbenchError, match="2 prompts for 3 noises"):
        sample(tiny_backbone, PROMPTS[:2], start, SamplerSettings())
    with pytest.raises(LepbenchError, match="2 generators for 3 noises"):
        sample(tiny_backbone, PROMPTS, start, SamplerSettings(), generators=generators(2))
    with pytest.raises(LepbenchError, match=r"sketch latents \(3, 4, 8, 8\) for noise \(3, 4, 16, 16\)"):
        sample(
            tiny_backbone, PROMPTS, start, SamplerSettings(), SketchGuidance(predictor, target[..., :8, :8])
        )
    with pytest.raises(ValueError, match="unknown scheduler 'dim'; did you mean 'ddim'"):
        SamplerSettings(scheduler="dim")
