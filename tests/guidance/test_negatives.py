"""Negative prompts: pictures as diffusers draws them, each sample's own text, a line where none is read."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from tiny_pipelines import PACKED, normalise, pack
from torch import Tensor

from lepbench.backbones import load_backbone
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings, SketchGuidance, sample
from lepbench.guidance.prompts import read_negatives
from lepbench.predictors import MlpConfig, MlpPredictor
from lepbench.seeds import draw_noise

PROMPTS = ["a red fish", "Two blue boats", "x"]
SHAPE = (4, 8, 8)
STEPS = 2
SCHEDULERS = {
    "sd-v": "ddim",
    "sdxl": "euler",
    "sd3": "flow_euler",
    "pixart-sigma": "dpmpp",
    "sana": "flow_dpmpp",
    "z-image": "flow_euler",
    "qwen-image": "flow_euler",
    "flux2-klein": "flow_euler",
}


@pytest.fixture(scope="module")
def loaded(tiny_folder_of: Callable[[str], Path]) -> Any:
    """From a family's name to its backbone."""
    return cache(lambda name: load_backbone(tiny_folder_of(name)))


@pytest.fixture(scope="module")
def start() -> Tensor:
    return torch.stack([draw_noise(i, SHAPE) for i in range(len(PROMPTS))])


def settings(name: str, **given: Any) -> SamplerSettings:
    return SamplerSettings(steps=STEPS, scheduler=SCHEDULERS[name], **given)


def drawn_by_diffusers(folder: Path, start: Tensor, negative: str) -> Tensor:
    pipeline = diffusers.DiffusionPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    # PixArt takes one text for all prompts, Stable Diffusion one a prompt.
    texts = negative if "PixArt" in type(pipeline).__name__ else [negative] * len(PROMPTS)
    taken = inspect.signature(pipeline.__call__).parameters
    extra: dict[str, Any] = {"use_resolution_binning": False} if "use_resolution_binning" in taken else {}
    if "negative_prompt" in taken:
        extra["negative_prompt"] = texts
    else:  # FLUX.2 takes its embeddings alone
        extra["negative_prompt_embeds"] = pipeline.encode_prompt(texts)[0]
    extra["true_cfg_scale" if "true_cfg_scale" in taken else "guidance_scale"] = 4.0
    drawn: Tensor = pipeline(
        # Z-Image's changes the list.
        prompt=list(PROMPTS),
        num_inference_steps=STEPS,
        latents=pack(start) if type(pipeline).__name__ in PACKED else start,
        height=32,
        width=32,
        output_type="latent",
        **extra,
    ).images
    return normalise(pipeline, drawn)


@pytest.mark.parametrize("name", list(SCHEDULERS))
def test_the_samplers_negative_prompt_is_that_of_the_stock_pipeline(
    name: str, loaded: Any, tiny_folder_of: Callable[[str], Path], start: Tensor
) -> None:
    expected = drawn_by_diffusers(tiny_folder_of(name), start, "dull grey")
    ours = sample(loaded(name), PROMPTS, start, settings(name, negative_prompt="dull grey")).latents
    largest = max(1.0, expected.abs().max().item())
    assert ((pack(ours) if expected.ndim == 3 else ours) - expected).abs().max() < 1e-5 * largest
    plain = sample(loaded(name), PROMPTS, start, settings(name)).latents
    assert (ours - plain).abs().max() > 1e-3


@pytest.mark.parametrize("name", list(SCHEDULERS))
def test_every_sample_has_the_negative_prompt_it_has_alone(name: str, loaded: Any, start: Tensor) -> None:
    negatives = ["dull", None, "a grey boat"]
    backbone = loaded(name)
    whole = sample(backbone, PROMPTS, start, settings(name), negatives=negatives).latents
    for row, negative in enumerate(negatives):
        alone = sample(
            backbone,
            PROMPTS[row : row + 1],
            start[row : row + 1],
            settings(name, negative_prompt=negative or ""),
        ).latents
        assert torch.allclose(alone[0], whole[row], atol=1e-4, rtol=1e-4)
    plain = sample(backbone, PROMPTS, start, settings(name)).latents
    moved = (whole - plain).flatten(1).abs().amax(dim=1) > 1e-3
    assert moved.tolist() == [True, False, True]


def test_none_is_the_familys_own_half_and_an_empty_text_is_encoded(loaded: Any, start: Tensor) -> None:
    backbone = loaded("sdxl")
    negatives = [None, "", "dull"]
    _, halves = backbone.conditions(PROMPTS, 4.0, negatives)
    for name, tensor in backbone.encode_prompts(["", "dull"]).tensors.items():
        assert not halves[name][0].any()  # force_zeros_for_empty_prompt
        assert torch.allclose(halves[name][1:], tensor, atol=1e-6)
        assert tensor.any()


def test_it_is_read_beside_a_sketch(loaded: Any, start: Tensor) -> None:
    backbone = loaded("sd-v")
    config = MlpConfig(taps=backbone.tap_channels, out_channels=4, train_timesteps=1000, hidden=(8,))
    guidance = SketchGuidance(MlpPredictor(config).requires_grad_(False).eval(), start.flip(0), 1.0, 0.0)
    plain, dull = (
        sample(backbone, PROMPTS, start, settings("sd-v"), guidance, negatives=texts).latents
        for texts in (None, ["dull"] * 3)
    )
    assert (plain - dull).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("flux-dev", {}, "flux takes no negative prompt; leave negative_prompt out"),
        ("lcm", {}, "sd takes no negative prompt; leave negative_prompt out"),
        ("flux2-klein-distilled", {}, "flux2-klein takes no negative prompt; leave negative_prompt out"),
        ("sd-v", {"guidance_scale": 1.0}, "guidance_scale 1.0 has no unconditional pass .*; give a sc"),
    ],
)
def test_where_nothing_reads_it_it_is_refused(
    name: str, given: dict[str, Any], message: str, loaded: Any, start: Tensor
) -> None:
    scheduler = {"lcm": "lcm", "sd-v": "ddim"}.get(name, "flow_euler")
    asked = SamplerSettings(steps=STEPS, scheduler=scheduler, negative_prompt="dull", **given)
    generators = [torch.Generator() for _ in PROMPTS]
    with pytest.raises(LepbenchError, match=message):
        sample(loaded(name), PROMPTS, start, asked, generators=generators)
    # An empty one asks for nothing.
    empty = asked.model_copy(update={"negative_prompt": ""})
    drawn = sample(loaded(name), PROMPTS, start, empty, generators=generators, negatives=["", None, ""])
    assert drawn.latents.isfinite().all()


def test_texts_that_do_not_fit_the_prompts_are_one_line(loaded: Any, start: Tensor) -> None:
    assert read_negatives("dull", 2) == ["dull", "dull"]
    assert read_negatives(("dull", ""), 2) == ["dull", ""]
    with pytest.raises(LepbenchError, match="1 negative prompts for 2 prompts; give one text"):
        read_negatives(["dull"], 2)
    with pytest.raises(LepbenchError, match=r"\[3\] is no negative prompt"):
        read_negatives([3], 1)  # type: ignore[list-item]
    with pytest.raises(LepbenchError, match="2 negative prompts for 3 prompts"):
        sample(loaded("sd-v"), PROMPTS, start, settings("sd-v"), negatives=["dull", None])
