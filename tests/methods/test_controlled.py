"""A control module draws as its pipeline of diffusers draws, each picture from its own noise alone."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from tiny_controls import CONTROLS, TinyControl, make_control, save_control
from tiny_pipelines import pack
from torch import Tensor

from lepbench.backbones import Backbone, load_backbone
from lepbench.backbones.cost import count_flops, count_passes
from lepbench.backbones.transformer import unpack_tokens
from lepbench.errors import LepbenchError
from lepbench.files import sha256_file
from lepbench.guidance import SamplerSettings
from lepbench.guidance.schedulers import SCHEDULERS
from lepbench.methods import ControlledConfig, Request
from lepbench.methods.base import draw_noise
from lepbench.methods.controlled import Controlled

STEPS, SCALE, SIDE = 2, 3.0, 64
FLOWS = ("sd3", "flux-dev", "qwen-image", "z-image")


@pytest.fixture(scope="module")
def backbone_of(tiny_folder_of: Callable[[str], Path]) -> Callable[[str], Backbone]:
    return cache(lambda name: load_backbone(tiny_folder_of(name)))


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """From a name in `tiny_controls.CONTROLS` to that module's folder."""
    root = tmp_path_factory.mktemp("controls")
    return cache(lambda name: save_control(name, root / name))


@pytest.fixture(params=list(CONTROLS), scope="module")
def control(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def choose_sampler(control: TinyControl) -> SamplerSettings:
    own = {"lcm": "lcm", "sana": "flow_dpmpp"} | dict.fromkeys(FLOWS, "flow_euler")
    scheduler = own.get(control.backbone, "euler")
    return SamplerSettings(steps=STEPS, scheduler=scheduler, guidance_scale=SCALE)


@pytest.fixture(scope="module")
def method(control: str, backbone_of: Any, folder_of: Any) -> Controlled:
    tiny = CONTROLS[control]
    config = ControlledConfig(control=str(folder_of(control)), **tiny.settings)
    return config.build(backbone_of(tiny.backbone), choose_sampler(tiny))


@pytest.fixture(scope="module")
def drawn(method: Controlled) -> Tensor:
    """Both pictures, drawn as one batch."""
    return method.draw(asked())


def asked() -> list[Request]:
    requests = []
    for seed, prompt in enumerate(("a red fish", "Two blue boats")):
        strokes = np.zeros((SIDE, SIDE), dtype=bool)
        strokes[10 : 50 - 9 * seed, 20 + 7 * seed] = True
        strokes[30, 5:60] = True
        requests.append(Request(f"{seed}.png", prompt, strokes, seed))
    return requests


def draw_stock(
    tiny: TinyControl, name: str, method: Controlled, picture: Tensor, request: Request, **options: Any
) -> Tensor:
    """Latents that the stock pipeline draws of one request, called as its documentation calls it."""
    kind = SCHEDULERS.get(method.sampler.scheduler)
    stock = diffusers.DiffusionPipeline.from_pretrained(method.backbone.folder)
    scheduler = getattr(diffusers, kind.class_name).from_config(stock.scheduler.config, **kind.overrides)
    given = {**stock.components, "scheduler": scheduler, "requires_safety_checker": False}
    given[tiny.slot] = make_control(name)
    made = getattr(diffusers, tiny.pipeline)
    taken = inspect.signature(made).parameters
    pipeline = made(**{part: value for part, value in given.items() if part in taken})
    pipeline.set_progress_bar_config(disable=True)
    noise, generators = draw_noise(method.backbone, [request])
    packed = method.module.kind.packed
    # Whatever is drawn from the global generator continues the picture's own.
    with torch.random.fork_rng():
        torch.set_rng_state(generators[0].get_state())
        drawn = pipeline(
            request.prompt,
            num_inference_steps=STEPS,
            height=SIDE,
            width=SIDE,
            latents=pack(noise) if packed else noise,
            generator=generators,
            output_type="latent",
            **{tiny.picture: picture, tiny.guidance: SCALE},
            **tiny.call,
            **options,
        ).images
    return unpack_tokens(drawn, noise.shape[-2] // 2, noise.shape[-1] // 2, 2) if packed else drawn


def paint(request: Request, settings: Any) -> Tensor:
    """The control picture, spelt out: `[1, channels, H, W]`."""
    black, white = settings["range"]
    ink, ground = (white, black) if settings["polarity"] == "white-on-black" else (black, white)
    picture = np.full((1, settings["channels"], SIDE, SIDE), ground, dtype=np.float32)
    picture[:, :, request.sketch] = ink
    return torch.from_numpy(picture)


def test_it_draws_as_the_pipeline_of_diffusers(control: str, method: Controlled, drawn: Tensor) -> None:
    tiny = CONTROLS[control]
    latents = torch.cat([draw_stock(tiny, control, method, paint(r, tiny.settings), r) for r in asked()])
    expected = method.backbone.decode_latents(latents)
    assert (drawn - expected).abs().max() < 1e-5
    assert drawn.std() > 0.05


def test_a_requests_own_negative_prompt_is_the_pipelines(backbone_of: Any, folder_of: Any) -> None:
    name, tiny = "controlnet-sdxl", CONTROLS["controlnet-sdxl"]
    config = ControlledConfig(control=str(folder_of(name)), **tiny.settings)
    method = config.build(backbone_of(tiny.backbone), choose_sampler(tiny))
    dull = dataclasses.replace(asked()[0], negative_prompt="dull")
    latents = draw_stock(tiny, name, method, paint(dull, tiny.settings), dull, negative_prompt="dull")
    both = method.draw([dull, asked()[1]])
    assert (both[:1] - method.backbone.decode_latents(latents)).abs().max() < 1e-5
    assert (both[0] - method.draw(asked()[:1])[0]).abs().max() > 1e-4


def test_every_key_of_the_picture_counts(method: Controlled, drawn: Tensor) -> None:
    low, high = method.config.range
    other = "white-on-black" if method.config.polarity == "black-on-white" else "black-on-white"
    wrong: list[dict[str, Any]] = [
        {"polarity": other},
        {"range": (-1.0, 1.0) if low == 0 else (0.0, 1.0)},
        {"range": (high, low)},
    ]
    for update in wrong:
        fooled = dataclasses.replace(method, config=method.config.model_copy(update=update))
        assert (fooled.draw(asked()[:1])[0] - drawn[0]).abs().max() > 1e-4, update


def test_a_picture_is_its_own(method: Controlled, drawn: Tensor) -> None:
    torch.manual_seed(99)
    state = torch.get_rng_state()
    alone = method.draw(asked()[1:])
    assert torch.equal(torch.get_rng_state(), state)
    torch.testing.assert_close(drawn[1:], alone, atol=1e-5, rtol=0)
    assert (drawn[0] - drawn[1]).abs().max() > 0.01


def test_passes_and_operations_are_those_of_the_call(method: Controlled, drawn: Tensor) -> None:
    with count_passes(method.counted.denoiser) as passes:
        whole = count_flops(lambda: method.draw(asked()[:1])) / 1e12
    halves = 1 if method.backbone.takes_scale else 2
    assert (passes.plain, passes.steered) == (STEPS * halves, 0)
    state = torch.get_rng_state()
    flops = method.measure_flops(asked()[0])
    assert torch.equal(torch.get_rng_state(), state)
    assert flops.of_passes(passes.plain, 0) == pytest.approx(whole, rel=1e-3)
    modules = [*method.backbone.denoiser.modules(), *method.module.network.modules()]
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in modules)
    assert torch.equal(method.draw(asked()), drawn)


def test_the_modules_files_are_hashed(control: str, method: Controlled, folder_of: Any) -> None:
    weights = "diffusion_pytorch_model.safetensors"
    assert set(method.weights) == {"control/config.json", f"control/{weights}"}
    assert method.weights[f"control/{weights}"] == sha256_file(folder_of(control) / weights)


@pytest.mark.parametrize("name", ["controlnet-sdxl", "controlnet-sd3", "flux-control", "controlnet-sana"])
def test_half_precision_is_that_of_the_module_too(
    name: str, tiny_folder_of: Callable[[str], Path], folder_of: Any
) -> None:
    # The VAEs of released models stay in float32 beside a denoiser in bfloat16.
    tiny = CONTROLS[name]
    backbone = load_backbone(tiny_folder_of(tiny.backbone), precision="bfloat16")
    assert backbone.vae.dtype == torch.float32
    config = ControlledConfig(control=str(folder_of(name)), **tiny.settings)
    method = config.build(backbone, choose_sampler(tiny))
    assert method.module.network.dtype == torch.bfloat16
    assert torch.isfinite(method.draw(asked()[:1])).all()


def test_a_preset_is_of_the_modules_class_and_family(backbone_of: Any, folder_of: Any) -> None:
    tiny, folder = CONTROLS["controlnet-sdxl"], str(folder_of("controlnet-sdxl"))
    for preset in ("InstantX/SD3-Controlnet-Canny", "TencentARC/t2i-adapter-sketch-sdxl-1.0"):
        config = ControlledConfig(control=folder, preset=preset)  # type: ignore[call-arg]
        with pytest.raises(LepbenchError, match=f"is a ControlNetModel for sdxl, and the preset '{preset}'"):
            config.build(backbone_of(tiny.backbone), choose_sampler(tiny))
    own = ControlledConfig(control=folder, preset="diffusers/controlnet-canny-sdxl-1.0")  # type: ignore[call-arg]
    assert own.build(backbone_of(tiny.backbone), choose_sampler(tiny)).config.scale == 0.5
