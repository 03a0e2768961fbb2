"""A pipeline of diffusers under guidance: its own pictures without a sketch, and itself unchanged after."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    DiffusionPipeline,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    StableDiffusionPipeline,
)
from PIL import Image, ImageDraw, ImageOps

import lepbench
from lepbench.backbones import Backbone
from lepbench.backbones.resolve import find_embedded_folder
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings, SketchGuidance, sample
from lepbench.guidance.diffusers_backbone import place_predictor, wrap_pipeline
from lepbench.guidance.execution import Execution
from lepbench.guidance.generators import draw_noise, find_default_generator
from lepbench.guidance.pipeline import SketchGuidedPipeline
from lepbench.guidance.sketch_like import read_strokes
from lepbench.predictors import MlpConfig, MlpPredictor
from lepbench.seeds import make_generator

PROMPTS = ["a red fish", "two blue boats"]
SIZE = (64, 64)
META = torch.device("meta")
FLOATS = (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn)
OTHERS = ["sdxl", "sd3", "flux-dev", "pixart-sigma", "sana", "z-image", "qwen-image", "flux2-klein"]
BINNED = ("pixart-sigma", "sana")
"""Their own calls draw at the nearest trained size unless told not to."""


def loaded(folder: Path) -> StableDiffusionPipeline:
    pipe = StableDiffusionPipeline.from_pretrained(folder, safety_checker=None)
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.fixture
def pipe(tiny_pipeline_folder: Path) -> StableDiffusionPipeline:
    return loaded(tiny_pipeline_folder)


def drawing(size: tuple[int, int] = (64, 64)) -> Image.Image:
    """A black outline on white."""
    image = Image.new("L", size, 255)
    ImageDraw.Draw(image).rectangle((10, 12, size[0] - 20, size[1] - 9), outline=0)
    return image


@pytest.mark.parametrize("cfg", [7.5, 1.0])
@pytest.mark.parametrize("many", [False, True])
def test_without_a_sketch_the_pictures_are_the_pipelines_own(
    cfg: float, many: bool, pipe: StableDiffusionPipeline, predictor: MlpPredictor
) -> None:
    sources = (lambda: [make_generator(1), make_generator(2)]) if many else (lambda: make_generator(3))
    options: dict[str, Any] = {"num_inference_steps": 3, "guidance_scale": cfg, "output_type": "np"}
    expected = pipe(PROMPTS, generator=sources(), **options).images
    guided = SketchGuidedPipeline.from_pipe(pipe, predictor)
    assert np.abs(guided(PROMPTS, generator=sources(), **options).images - expected).max() < 1e-5
    still = guided(PROMPTS, drawing(), sketch_scale=0, generator=sources(), **options)
    assert np.abs(still.images - expected).max() < 1e-5


def test_the_global_generator_serves_as_in_diffusers(
    pipe: StableDiffusionPipeline, predictor: MlpPredictor
) -> None:
    pipe.scheduler = EulerDiscreteScheduler.from_config(pipe.scheduler.config)
    options: dict[str, Any] = {"num_inference_steps": 3, "guidance_scale": 7.5, "output_type": "np"}
    with torch.random.fork_rng():
        torch.manual_seed(4)
        expected = pipe(PROMPTS, **options).images
        torch.manual_seed(4)
        ours = SketchGuidedPipeline.from_pipe(pipe, predictor)(PROMPTS, **options).images
    assert np.abs(ours - expected).max() < 1e-5


def test_the_global_generator_is_that_of_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "init", lambda: None)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    generators = (make_generator(0), make_generator(1))
    monkeypatch.setattr(torch.cuda, "default_generators", generators)
    assert find_default_generator(torch.device("cuda")) is generators[0]
    assert find_default_generator(torch.device("cuda:1")) is generators[1]
    assert find_default_generator(torch.device("cpu")) is torch.default_generator
    before = torch.get_rng_state()
    assert draw_noise(find_default_generator(META), (1, 4, 8, 8), META).device == META
    assert torch.equal(torch.get_rng_state(), before)


def test_the_wrapped_pipeline_draws_from_its_devices_generator(
    pipe: StableDiffusionPipeline, predictor: MlpPredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    guided = SketchGuidedPipeline.from_pipe(pipe, predictor)
    monkeypatch.setattr(
        "lepbench.guidance.generators.find_default_generator", lambda device: make_generator(7)
    )
    options: dict[str, Any] = {"num_inference_steps": 2, "output_type": "pt"}
    one, other = guided("x", **options), guided("x", generator=make_generator(7), **options)
    assert torch.equal(one.images, other.images)


def test_mini_without_a_sketch_is_mini() -> None:
    pipe = loaded(find_embedded_folder("mini@1"))
    guided = lepbench.SketchGuidedPipeline.from_pipe(pipe, "lep-mini@1")
    options: dict[str, Any] = {"num_inference_steps": 4, "guidance_scale": 4.0, "output_type": "np"}
    expected = pipe("a red fish", generator=make_generator(0), **options).images
    assert np.abs(guided("a red fish", generator=make_generator(0), **options).images - expected).max() < 1e-5


def test_with_a_sketch_the_pictures_are_the_samplers(
    pipe: StableDiffusionPipeline, predictor: MlpPredictor, tiny_backbone: Backbone
) -> None:
    guided = SketchGuidedPipeline.from_pipe(pipe, predictor)
    drawn = guided(
        PROMPTS,
        drawing(),
        guidance_scale=4.0,
        sketch_scale=0.7,
        stop=0.3,
        num_inference_steps=4,
        generator=[make_generator(1), make_generator(2)],
        output_type="pt",
    )
    noise = torch.stack([torch.randn(4, 16, 16, generator=make_generator(i)) for i in (1, 2)])
    target = tiny_backbone.encode_edges(torch.from_numpy(np.asarray(drawing()) == 0)[None]).expand(
        2, -1, -1, -1
    )
    latents = sample(
        tiny_backbone, PROMPTS, noise, SamplerSettings(steps=4), SketchGuidance(predictor, target, 0.7, 0.3)
    ).latents
    assert torch.allclose(drawn.images, tiny_backbone.decode_latents(latents), atol=1e-4)
    assert drawn.sketches is not None
    assert drawn.sketches.shape == (2, 64, 64)


def state(pipe: StableDiffusionPipeline) -> list[object]:
    networks = [pipe.unet, pipe.vae, pipe.text_encoder]
    modules = [module for network in networks for module in network.modules()]
    return [
        [module.training for module in modules],
        [(len(module._forward_hooks), len(module._forward_pre_hooks)) for module in modules],
        [(p.requires_grad, p.data_ptr(), p.dtype, p.grad) for n in networks for p in n.parameters()],
        pipe.scheduler,
        pipe.scheduler.timesteps.tolist(),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("execution", [None, Execution(checkpointing=True)])
@pytest.mark.parametrize("fails", [False, True])
def test_the_pipeline_is_left_as_it_was(
    execution: Execution | None, fails: bool, pipe: StableDiffusionPipeline, predictor: MlpPredictor
) -> None:
    pipe.unet.train()
    pipe.vae.requires_grad_(False)
    pipe.unet.conv_in.requires_grad_(False)
    before = state(pipe)
    guided = SketchGuidedPipeline.from_pipe(pipe, predictor, execution)
    arguments: dict[str, Any] = {"num_inference_steps": 2, "stop": 0.0, "output_type": "latent"}
    if fails:
        with pytest.raises(LepbenchError):
            guided(PROMPTS, drawing(), weights=-np.ones(SIZE), **arguments)
    else:
        guided(PROMPTS, drawing(), **arguments)
    assert state(pipe) == before


def test_batchnorm_in_training_mode_is_not_trained_by_sampling(
    pipe: StableDiffusionPipeline, predictor: MlpPredictor
) -> None:
    training = copy.deepcopy(predictor).train()
    before = {name: value.clone() for name, value in training.state_dict().items()}
    options: dict[str, Any] = {"num_inference_steps": 2, "stop": 0.0, "output_type": "pt"}
    one, other = (
        SketchGuidedPipeline.from_pipe(pipe, p)(PROMPTS[0], drawing(), generator=make_generator(0), **options)
        for p in (training, predictor)
    )
    assert torch.equal(one.images, other.images)
    assert training.training
    assert all(torch.equal(value, before[name]) for name, value in training.state_dict().items())


def test_a_sketch_is_the_same_in_any_form() -> None:
    black_on_white = np.asarray(drawing())
    expected = black_on_white == 0
    forms = [
        drawing(),
        drawing().convert("RGBA"),
        black_on_white,
        255 - black_on_white,
        black_on_white / 255.0,
        1.0 - black_on_white / 127.5,
        np.repeat(black_on_white[..., None], 3, -1),
        black_on_white[..., None],
        expected,
        torch.from_numpy(expected),
        torch.from_numpy(black_on_white / 255.0)[None].expand(3, -1, -1),
        *(torch.from_numpy(black_on_white / 255.0).to(dtype) for dtype in FLOATS),
    ]
    for form in forms:
        assert np.array_equal(read_strokes(form, 1, SIZE)[0], expected)
    assert np.array_equal(read_strokes([drawing(), expected], 2, SIZE), np.stack([expected, expected]))


def test_another_size_is_fitted_and_pictures_need_not_be_square(
    pipe: StableDiffusionPipeline, predictor: MlpPredictor
) -> None:
    guided = SketchGuidedPipeline.from_pipe(pipe, predictor)
    options: dict[str, Any] = {"height": 32, "width": 96, "num_inference_steps": 2, "stop": 0.0}
    drawn = guided(PROMPTS, drawing((300, 100)), **options)
    assert [image.size for image in drawn.images] == [(96, 32)] * 2
    assert drawn.sketches is not None
    assert drawn.sketches.shape == (2, 32, 96)
    assert drawn.sketches[0].any()


def test_importance_reaches_the_loss(pipe: StableDiffusionPipeline, predictor: MlpPredictor) -> None:
    guided = SketchGuidedPipeline.from_pipe(pipe, predictor)
    options: dict[str, Any] = {"num_inference_steps": 2, "stop": 0.0, "output_type": "latent"}
    left = np.ones(SIZE)
    left[:, 32:] = 0
    one, half, batch = (
        guided(PROMPTS, drawing(), weights=w, generator=make_generator(0), **options).images
        for w in (None, left, np.stack([left, left]))
    )
    assert not torch.allclose(one, half, atol=1e-3)
    assert torch.equal(half, batch)


def test_what_does_not_fit_is_one_line(pipe: StableDiffusionPipeline, predictor: MlpPredictor) -> None:
    guided = SketchGuidedPipeline.from_pipe(pipe, predictor)
    with pytest.raises(LepbenchError, match="3 sketches for 2 prompts"):
        guided(PROMPTS, [drawing()] * 3)
    with pytest.raises(LepbenchError, match="the sketch holds no strokes"):
        guided(PROMPTS, np.full(SIZE, 255, np.uint8))
    with pytest.raises(LepbenchError, match=r"weights of shape \(3, 3\)"):
        guided(PROMPTS, drawing(), weights=np.ones((3, 3)))
    with pytest.raises(LepbenchError, match="unknown pipeline class 'object'"):
        SketchGuidedPipeline.from_pipe(object(), predictor)
    with pytest.raises(LepbenchError, match="the predictor reads 64 channels"):
        SketchGuidedPipeline.from_pipe(pipe, "lep-mini@1")


def test_a_scheduler_that_loses_shifts_draws_unguided_only(
    pipe: StableDiffusionPipeline, predictor: MlpPredictor
) -> None:
    pipe.scheduler = HeunDiscreteScheduler.from_config(pipe.scheduler.config)
    guided = SketchGuidedPipeline.from_pipe(pipe, predictor)
    options: dict[str, Any] = {"num_inference_steps": 3, "guidance_scale": 7.5, "output_type": "np"}
    expected = pipe(PROMPTS, generator=make_generator(3), **options).images
    assert np.abs(guided(PROMPTS, generator=make_generator(3), **options).images - expected).max() < 1e-5
    with pytest.raises(LepbenchError, match=r"HeunDiscreteScheduler may lose .* UniPCMultistepScheduler"):
        guided(PROMPTS, drawing(), **options)


def test_lepbench_itself_is_imported_without_torch() -> None:
    code = "import sys, lepbench; assert 'torch' not in sys.modules; lepbench.nothing"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "has no attribute 'nothing'" in done.stderr


def reader(backbone: Backbone) -> MlpPredictor:
    """A predictor with random weights for a backbone of any family."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        config = MlpConfig(
            taps=backbone.tap_channels,
            out_channels=backbone.latent_channels,
            train_timesteps=1000,
            hidden=(8,),
        )
        return MlpPredictor(config)


def family_pipe(folder: Path, **parts: None) -> DiffusionPipeline:
    pipe = DiffusionPipeline.from_pretrained(folder, **parts)
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.mark.slow
def test_a_vae_that_overflows_in_half_precision_runs_in_full(tiny_folder_of: Callable[[str], Path]) -> None:
    pipe = family_pipe(tiny_folder_of("sdxl"))
    predictor = reader(wrap_pipeline(pipe))
    with torch.no_grad():
        # Beyond 65504 behind the first convolutions; the norms that follow bring it back.
        for half in (pipe.vae.encoder, pipe.vae.decoder):
            half.conv_in.weight.mul_(2e5)
    pipe.to(torch.float16)
    before = {name: value.clone() for name, value in pipe.vae.state_dict().items()}
    assert not pipe.vae.decode(torch.randn(1, 4, 16, 16).half()).sample.isfinite().all()
    guided = SketchGuidedPipeline.from_pipe(pipe, predictor)
    options: dict[str, Any] = {"num_inference_steps": 2, "guidance_scale": 4.0, "output_type": "pt"}
    drawn = guided("a red fish", drawing(), stop=0.0, **options)
    assert drawn.images.isfinite().all()
    with pytest.raises(LepbenchError):
        guided("a red fish", drawing(), weights=-np.ones(SIZE), **options)
    after = pipe.vae.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert all(value.dtype == torch.float16 for value in after.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_pipelines_of_other_families_are_steered_too(
    name: str, tiny_folder_of: Callable[[str], Path]
) -> None:
    pipe = family_pipe(tiny_folder_of(name))
    backbone = wrap_pipeline(pipe)
    predictor = reader(backbone)
    guided = SketchGuidedPipeline.from_pipe(pipe, predictor)
    noise = torch.randn(1, *backbone.latent_shape(SIZE), generator=make_generator(5))
    options: dict[str, Any] = {
        "num_inference_steps": 2,
        "guidance_scale": 4.0,
        "height": 64,
        "width": 64,
        "latents": noise,
    }
    plain, same, other = (
        guided("a red fish", sketch, **options, output_type="pt", sketch_scale=scale).images
        for sketch, scale in ((None, 1.6), (drawing(), 0.0), (drawing(), 1.6))
    )
    assert torch.equal(plain, same)
    assert (plain - other).abs().max() > 1e-4
    if name not in ("flux-dev", "qwen-image"):  # which take their noise packed
        extra: dict[str, Any] = {"use_resolution_binning": False} if name in BINNED else {}
        expected = pipe(prompt="a red fish", **options, **extra, output_type="pt").images
        assert (plain - expected).abs().max() < 1e-5


def test_a_loaded_predictor_follows_to_where_the_pipeline_runs(
    pipe: StableDiffusionPipeline, predictor: MlpPredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SketchGuidedPipeline.from_pipe(pipe, predictor).predictor is predictor
    monkeypatch.setattr(type(pipe), "_execution_device", META)
    guided = SketchGuidedPipeline.from_pipe(pipe, predictor)
    assert {value.device for value in guided.predictor.state_dict().values()} == {META}
    assert predictor.slices[0].weight.device.type == "cpu"
    # The weights of a pipeline that is offloaded rest on the CPU.
    assert pipe.device.type == "cpu"
    assert guided.backbone.device == guided.backbone.text.device == META


def test_a_pipeline_that_moves_is_followed(pipe: StableDiffusionPipeline, predictor: MlpPredictor) -> None:
    guided = SketchGuidedPipeline.from_pipe(pipe, predictor)
    prepared = SketchGuidedPipeline.from_pipe(pipe, predictor, Execution(checkpointing=True))
    assert prepared.backbone.denoiser.is_gradient_checkpointing
    pipe.to(META)
    assert guided.backbone.device == META
    placed = place_predictor(guided.predictor, guided.backbone.device)
    assert placed.get_parameter("slices.0.weight").device == META
    with pytest.raises(LepbenchError, match="wrapped on cpu and is on meta now; call from_pipe again"):
        prepared(PROMPTS)


def test_what_replaces_a_component_is_used(pipe: StableDiffusionPipeline, predictor: MlpPredictor) -> None:
    guided = SketchGuidedPipeline.from_pipe(pipe, predictor)
    pipe.unet = copy.deepcopy(pipe.unet)
    assert guided.backbone.denoiser is pipe.unet


def test_an_offloaded_pipeline_is_steered_and_put_back_to_rest(
    pipe: StableDiffusionPipeline, predictor: MlpPredictor
) -> None:
    options: dict[str, Any] = {"num_inference_steps": 2, "stop": 0.0, "output_type": "pt"}
    guided = SketchGuidedPipeline.from_pipe(pipe, predictor)
    expected = guided(PROMPTS, drawing(), generator=make_generator(0), **options).images
    # To another name of the CPU, which needs no accelerator.
    pipe.enable_model_cpu_offload(device="cpu")
    assert guided.backbone.device == torch.device("cpu:0")
    hooks = list(pipe._all_hooks)
    images = guided(PROMPTS, drawing(), generator=make_generator(0), **options).images
    assert torch.equal(images, expected)
    # They are put back by hooks made anew, as the pipeline's own call does it.
    assert set(hooks).isdisjoint(pipe._all_hooks)
    assert guided(PROMPTS, generator=make_generator(0), **options).images.isfinite().all()
    assert not any(parameter.is_inference() for parameter in pipe.unet.parameters())
    with pytest.raises(LepbenchError, match="the denoiser is on cpu and runs on cpu:0"):
        SketchGuidedPipeline.from_pipe(pipe, predictor, Execution(checkpointing=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sd-v", *OTHERS])
def test_what_is_not_said_is_as_in_the_pipelines_own_call(
    name: str, tiny_folder_of: Callable[[str], Path]
) -> None:
    pipe = family_pipe(tiny_folder_of(name))
    guided = SketchGuidedPipeline.from_pipe(pipe, reader(wrap_pipeline(pipe)))
    options: dict[str, Any] = {"height": 32, "width": 32, "output_type": "pt"}
    extra: dict[str, Any] = {"use_resolution_binning": False} if name in BINNED else {}
    expected = pipe(prompt="a red fish", generator=make_generator(3), **options, **extra).images
    ours = guided("a red fish", generator=make_generator(3), **options).images
    assert (ours - expected).abs().max() < 1e-5


NEGATIVES = ["dull", "a grey boat"]


@pytest.mark.slow
@pytest.mark.parametrize("negative", ["dull", NEGATIVES, ""])
@pytest.mark.parametrize("name", ["sd-v", "sdxl", "sd3", "sd3-without-t5", "pixart-sigma"])
def test_negative_prompts_and_several_pictures_are_the_pipelines_own(
    name: str, negative: str | list[str], tiny_folder_of: Callable[[str], Path]
) -> None:
    left_out = ("text_encoder_3", "tokenizer_3") if name == "sd3-without-t5" else ()
    pipe = family_pipe(tiny_folder_of(name), **dict.fromkeys(left_out))
    guided = SketchGuidedPipeline.from_pipe(pipe, reader(wrap_pipeline(pipe)))
    options: dict[str, Any] = {"height": 32, "width": 32, "output_type": "latent", "num_inference_steps": 2}
    options |= {"guidance_scale": 4.0, "num_images_per_prompt": 2, "negative_prompt": negative}
    extra: dict[str, Any] = {"use_resolution_binning": False} if name in BINNED else {}
    if name == "sd-v" and isinstance(negative, str):  # which wants as many as there are prompts
        extra["negative_prompt"] = [negative] * 2
    if name == "pixart-sigma" and negative == NEGATIVES:
        pytest.skip("its own call takes one text for all")
    sources = [[make_generator(i) for i in range(4)] for _ in range(2)]
    expected = pipe(PROMPTS, generator=sources[0], **options | extra).images
    ours = guided(PROMPTS, generator=sources[1], **options).images
    # Random weights in sigma space reach values of fifty: 1e-5 of the largest.
    assert (ours - expected).abs().max() < 1e-5 * max(1.0, expected.abs().max())
    usual = guided(
        PROMPTS, generator=[make_generator(i) for i in range(4)], **options | {"negative_prompt": None}
    )
    assert torch.allclose(ours, usual.images, atol=1e-6) == (negative == "" and name != "sdxl")


def test_a_negative_prompt_steers_beside_a_sketch(
    pipe: StableDiffusionPipeline, predictor: MlpPredictor
) -> None:
    guided = SketchGuidedPipeline.from_pipe(pipe, predictor)
    options: dict[str, Any] = {"num_inference_steps": 2, "stop": 0.0, "output_type": "latent"}
    usual, empty, dull = (
        guided("a", drawing(), generator=make_generator(0), negative_prompt=text, **options).images
        for text in (None, "", "dull")
    )
    assert torch.equal(usual, empty)
    assert not torch.allclose(usual, dull, atol=1e-3)


def test_every_picture_of_a_prompt_follows_its_sketch(
    pipe: StableDiffusionPipeline, predictor: MlpPredictor
) -> None:
    guided = SketchGuidedPipeline.from_pipe(pipe, predictor)
    sketches = [drawing(), ImageOps.mirror(drawing())]
    weights = np.stack([np.ones(SIZE), np.linspace(0, 1, 64)[None].repeat(64, 0)])
    options: dict[str, Any] = {"num_inference_steps": 2, "stop": 0.0, "output_type": "latent"}
    both = guided(
        PROMPTS,
        sketches,
        weights=weights,
        negative_prompt=NEGATIVES,
        num_images_per_prompt=2,
        generator=[make_generator(i) for i in range(4)],
        **options,
    )
    assert both.sketches is not None
    assert both.sketches.shape == (4, *SIZE)
    for place in range(4):
        prompt = place // 2
        alone = guided(
            PROMPTS[prompt],
            sketches[prompt],
            weights=weights[prompt],
            negative_prompt=NEGATIVES[prompt],
            generator=make_generator(place),
            **options,
        )
        assert alone.sketches is not None
        assert np.array_equal(both.sketches[place], alone.sketches[0])
        assert torch.allclose(both.images[place], alone.images[0], atol=2e-4, rtol=1e-4)


def test_what_does_not_go_with_the_prompts_is_one_line(
    pipe: StableDiffusionPipeline, predictor: MlpPredictor, tiny_folder_of: Callable[[str], Path]
) -> None:
    guided = SketchGuidedPipeline.from_pipe(pipe, predictor)
    with pytest.raises(LepbenchError, match="2 generators for 4 pictures; give one, or one a picture"):
        guided(PROMPTS, num_images_per_prompt=2, generator=[make_generator(0), make_generator(1)])
    with pytest.raises(LepbenchError, match="1 negative prompts for 2 prompts; give one text"):
        guided(PROMPTS, negative_prompt=["dull"])
    flux = family_pipe(tiny_folder_of("flux-dev"))
    distilled = SketchGuidedPipeline.from_pipe(flux, reader(wrap_pipeline(flux)))
    with pytest.raises(LepbenchError, match="flux takes no negative prompt; leave negative_prompt out"):
        distilled("a", negative_prompt="dull", height=32, width=32)
