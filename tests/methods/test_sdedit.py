"""Sampling from a drawing is image-to-image of diffusers, and counts the steps that it does."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from torch import Tensor

from lepbench.backbones import Backbone, load_backbone
from lepbench.backbones.cost import Passes, count_flops, count_passes
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings
from lepbench.guidance.schedulers import SCHEDULERS
from lepbench.guidance.start import count_skipped, paint_drawing
from lepbench.methods import Request, SdeditConfig
from lepbench.methods.sdedit import Sdedit
from lepbench.seeds import make_generator

SIDE, SCALE = 32, 3.0
PIPELINES = {
    "sd-v": diffusers.StableDiffusionImg2ImgPipeline,
    "sdxl": diffusers.StableDiffusionXLImg2ImgPipeline,
    "sd3": diffusers.StableDiffusion3Img2ImgPipeline,
    "flux-dev": diffusers.FluxImg2ImgPipeline,
}
# Five steps of which 0.5 leaves two, or three where flow matching rounds the other way.
CASES = [
    *(("sd-v", scheduler, 0.5) for scheduler in SCHEDULERS if not SCHEDULERS.get(scheduler).flow),
    *(("sdxl", "euler", strength) for strength in (0.5, 1.0)),
    *((name, "flow_euler", strength) for name in ("sd3", "flux-dev") for strength in (0.5, 1.0)),
]


@pytest.fixture(scope="module")
def backbone_of(tiny_folder_of: Callable[[str], Path]) -> Callable[[str], Backbone]:
    return cache(lambda name: load_backbone(tiny_folder_of(name)))


@pytest.fixture(scope="module")
def stock_of(tiny_folder_of: Callable[[str], Path]) -> Any:
    def load(name: str) -> Any:
        pipeline = PIPELINES[name].from_pretrained(tiny_folder_of(name), safety_checker=None)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    return cache(load)


def asked() -> list[Request]:
    requests = []
    for seed, prompt in enumerate(("a red fish", "Two blue boats")):
        strokes = np.zeros((SIDE, SIDE), dtype=bool)
        strokes[4 : 25 - 9 * seed, 10 + 7 * seed] = True
        requests.append(Request(f"{seed}.png", prompt, strokes, seed))
    return requests


def build(backbone: Backbone, scheduler: str, strength: float, steps: int = 5, blur: float = 0) -> Sdedit:
    sampler = SamplerSettings(steps=steps, scheduler=scheduler, guidance_scale=SCALE)
    return SdeditConfig(strength=strength, blur=blur).build(backbone, sampler)


@pytest.mark.parametrize(("name", "scheduler", "strength"), CASES)
def test_it_is_image_to_image_of_diffusers(
    name: str, scheduler: str, strength: float, backbone_of: Any, stock_of: Any
) -> None:
    backbone, pipeline, kind = backbone_of(name), stock_of(name), SCHEDULERS.get(scheduler)
    made = getattr(diffusers, kind.class_name).from_config(dict(backbone.scheduler), **kind.overrides)
    pipeline.register_modules(scheduler=made)
    drawings = paint_drawing(torch.from_numpy(np.stack([r.sketch for r in asked()])), 0)
    with count_passes(pipeline.unet if hasattr(pipeline, "unet") else pipeline.transformer) as theirs:
        expected = pipeline(
            [request.prompt for request in asked()],
            image=backbone.encode_images(drawings),
            strength=strength,
            num_inference_steps=5,
            guidance_scale=SCALE,
            generator=[make_generator(request.seed) for request in asked()],
            output_type="pt",
            **({"height": SIDE, "width": SIDE} if backbone.family.flow else {}),
        ).images
    method = build(backbone, scheduler, strength)
    with count_passes(backbone.denoiser) as ours:
        drawn = method.draw(asked())
    assert (drawn - expected).abs().max() < 1e-5
    assert ours == theirs
    assert ours.total > 0


def test_a_picture_is_its_own_and_keeps_of_the_drawing_what_the_strength_leaves(backbone_of: Any) -> None:
    backbone = backbone_of("sd-v")
    drawings = backbone.decode_latents(build(backbone, "ddim", 0.2).start(asked()).latents)
    drawn: dict[float, Tensor] = {s: build(backbone, "ddim", s).draw(asked()) for s in (0.2, 0.8)}
    torch.testing.assert_close(build(backbone, "ddim", 0.8).draw(asked()[1:])[0], drawn[0.8][1])
    distances = {strength: (picture - drawings).norm() for strength, picture in drawn.items()}
    assert distances[0.2] < distances[0.8]


def test_passes_and_operations_are_those_of_the_steps_done(backbone_of: Any) -> None:
    method = build(backbone_of("sd-v"), "ddim", 0.4)
    with count_passes(method.backbone.denoiser) as passes:
        whole = count_flops(lambda: method.draw(asked()[:1])) / 1e12
    assert passes == Passes(plain=2 * 2)
    assert method.counted is method.backbone
    flops = method.measure_flops(asked()[0])
    assert flops.of_passes(passes.plain, 0) == pytest.approx(whole, rel=1e-3)
    assert method.notes == ("2 of 5 steps from the drawing, black on white, not blurred",)


def test_drawings_are_black_on_white() -> None:
    strokes = torch.zeros(1, 9, 9, dtype=torch.bool)
    strokes[0, 4] = True
    plain = paint_drawing(strokes, 0)
    assert plain.shape == (1, 3, 9, 9)
    assert torch.equal(plain[0, 0] < 0.5, strokes[0])
    soft = paint_drawing(strokes, 1.0)
    assert 0 < soft[0, 0, 4, 4] < soft[0, 0, 5, 4] < soft[0, 0, 8, 4] <= 1
    assert soft[0, 0, :, 4].sum() == pytest.approx(8, abs=1e-2)


def test_a_strength_that_leaves_no_step_is_one_line(backbone_of: Any) -> None:
    assert [count_skipped(5, 0.5, flow) for flow in (False, True)] == [3, 2]
    with pytest.raises(LepbenchError, match=r"strength 0.1 of 5 steps leaves none to do; give .* 1 / 5"):
        build(backbone_of("sd-v"), "ddim", 0.1)
