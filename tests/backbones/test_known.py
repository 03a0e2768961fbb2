"""Taps and parameter counts of the true configurations, without their weights."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lepbench.backbones import Backbone
from lepbench.backbones.known import find_denoiser, load_known
from lepbench.backbones.load import import_class
from lepbench.backbones.survey import measure_tap_shapes
from lepbench.backbones.transformer import spread_taps
from lepbench.errors import LepbenchError

# LDM's names of the paper's layers, their channels and resolution for a 64x64 latent of SD 1.x.
PAPER = (
    ("input 2", 320, 64),
    ("input 4", 640, 32),
    ("input 8", 1280, 16),
    ("middle 0", 1280, 8),
    ("middle 1", 1280, 8),
    ("middle 2", 1280, 8),
    ("output 2", 1280, 16),
    ("output 4", 1280, 16),
    ("output 8", 640, 64),
)


@pytest.mark.parametrize("name", list(load_known()))
def test_a_true_configuration_has_as_many_parameters_as_the_model(name: str) -> None:
    family, config = find_denoiser(name)
    with torch.device("meta"):
        denoiser = import_class(family.components[family.denoiser]).from_config(config)
    assert sum(parameter.numel() for parameter in denoiser.parameters()) == load_known()[name].parameters


@pytest.mark.parametrize("name", list(load_known()))
def test_a_true_vae_and_schedule_can_be_made(name: str) -> None:
    import diffusers

    model = load_known()[name]
    with torch.device("meta"):
        vae = import_class(model.family.components["vae"]).from_config(dict(model.vae))
    channels = model.family.autoencoder.channels(vae.config)
    assert channels == model.family.latent_channels(find_denoiser(name)[1])
    usual = "FlowMatchEulerDiscreteScheduler" if model.family.flow else "DDIMScheduler"
    settings = dict(model.scheduler)
    scheduler = getattr(diffusers, settings.pop("_class_name", usual)).from_config(settings)
    assert {key: scheduler.config[key] for key in settings} == settings


@pytest.mark.parametrize("name", ["sd15", "sd21"])
def test_positions_of_stable_diffusion_are_the_papers(name: str) -> None:
    shapes = measure_tap_shapes(*find_denoiser(name), (64, 64))
    assert [(tap.channels, tap.height, tap.width) for tap in shapes] == [(c, s, s) for _, c, s in PAPER]
    assert sum(tap.channels for tap in shapes) == 9280


# Channels, and resolution for a 64x96 latent, of the taps of the others.
OTHERS = {
    "sdxl": [(320, 1), (640, 2), (1280, 4), (1280, 4), (1280, 4), (1280, 4), (1280, 2), (640, 2), (320, 1)],
    "sd3": [(1536, 2)] * 9,
    "sd35-medium": [(1536, 2)] * 9,
    "flux-dev": [(3072, 2)] * 9,
    "pixart-sigma": [(1152, 2)] * 9,
    "sana": [(2240, 1)] * 9,
    "z-image": [(3840, 2)] * 9,
    "qwen-image": [(3072, 2)] * 9,
    "flux2-klein-4b": [(3072, 1)] * 9,
    "flux2-klein-9b": [(4096, 1)] * 9,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", list(OTHERS))
def test_positions_of_the_other_families_are_analogous(name: str) -> None:
    shapes = measure_tap_shapes(*find_denoiser(name), (64, 96))
    expected = [(channels, 64 // part, 96 // part) for channels, part in OTHERS[name]]
    assert [(tap.channels, tap.height, tap.width) for tap in shapes] == expected


@given(st.integers(1, 80))
def test_taps_are_evenly_spread_and_end_with_the_last_block(count: int) -> None:
    blocks = [str(i) for i in range(count)]
    chosen = [int(block) for block in spread_taps(blocks)]
    assert len(chosen) == min(9, count)
    assert chosen[-1] == count - 1
    steps = {b - a for a, b in pairwise([-1, *chosen])}
    assert max(steps) - min(steps) <= 1


def test_shapes_without_weights_are_those_of_a_pass_with_them(tiny_backbone: Backbone) -> None:
    from lepbench.backbones import Conditioning

    latents = torch.randn(1, 4, 8, 24)
    conditioning = Conditioning({"embeddings": torch.randn(1, 32, 32)})
    with torch.no_grad():
        _, features = tiny_backbone.read(latents, 3, conditioning, tiny_backbone.taps)
    shapes = measure_tap_shapes(tiny_backbone.family, tiny_backbone.denoiser.config, (8, 24))
    assert [tuple(shape) for shape in shapes] == [(name, *f.shape[1:]) for name, f in features.items()]


def test_a_folder_needs_no_weights_to_be_looked_at(
    tiny_pipeline_folder: Path, tiny_backbone: Backbone
) -> None:
    family, config = find_denoiser(tiny_pipeline_folder)
    assert family is tiny_backbone.family
    assert all(tiny_backbone.denoiser.config[key] in (value, list_of(value)) for key, value in config.items())


def list_of(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def test_an_unknown_layout_is_one_line() -> None:
    family, config = find_denoiser("sd15")
    with pytest.raises(LepbenchError, match=r"no taps are known .* laid out as one of: mini, sd1"):
        family.positions({**config, "down_block_types": ("DownBlock2D",), "layers_per_block": 3})


def test_an_unknown_pipeline_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionXLPipelin"}))
    with pytest.raises(
        LepbenchError, match=r"class 'StableDiffusionXLPipelin'; families: .* sdxl .StableDiffusionXLPipeline"
    ):
        find_denoiser(tmp_path)
