"""The dedicated encoders: the LEP's triplets and budget, a start that changes nothing, exact resumption."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from lepbench.backbones import Backbone, load_backbone
from lepbench.config import load_config, read_yaml
from lepbench.data.sources.sketchworld import Sketchworld
from lepbench.guidance import SamplerSettings
from lepbench.judges.classifier import load_probe
from lepbench.judges.paths import PROBE
from lepbench.mini import control, controlnet, t2i_adapter
from lepbench.mini.about import RECIPES
from lepbench.mini.control import ControlRecipe, Inputs, draw_times, measure_held_out
from lepbench.mini.control_pipeline import draw_with_encoder, load_encoder
from lepbench.mini.corpus import Range
from lepbench.mini.denoising import denoising_loss
from lepbench.mini.encoder_gates import encoder_gates
from lepbench.mini.stages import train
from lepbench.mini.training import Fit
from lepbench.mini.triplets import ControlTriplets, encode_range, split_held_out
from lepbench.predictors.train_config import TrainConfig
from lepbench.progress import ignore_progress
from lepbench.seeds import is_held_out
from lepbench.sketchworld import ATTRIBUTES, scene

EXAMPLES = Path(__file__).parents[2] / "examples"
STAGES: dict[str, type[ControlRecipe]] = {
    "controlnet": controlnet.ControlNetRecipe,
    "t2i-adapter": t2i_adapter.AdapterRecipe,
}
TINY = """
train: {{count: 12}}
fit: {{steps: {steps}, batch: 2, learning_rate: 1.0e-3, warmup: 1, precision: fp32, checkpoint_every: 2}}
"""


class StoppedError(Exception):
    """Stands in for a person's Ctrl-C."""


@cache
def mini() -> Backbone:
    return load_backbone("mini@1")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> ControlTriplets:
    folder = tmp_path_factory.mktemp("triplets")
    return encode_range(
        mini(), Range(count=8), ControlRecipe.model_fields["detector"].default, folder, folder
    )


def trained(name: str, folder: Path, steps: int = 4) -> Path:
    recipe = folder / "recipe.yaml"
    recipe.parent.mkdir(parents=True, exist_ok=True)
    recipe.write_text(TINY.format(steps=steps))
    return train(name, folder, recipe)


def fresh(name: str) -> tuple[nn.Module, control.Residuals]:
    torch.manual_seed(0)
    fit = Fit(steps=1, batch=1, learning_rate=1.0)
    if name == "controlnet":
        recipe = controlnet.ControlNetRecipe(train=Range(count=1), fit=fit)
        return controlnet.build(recipe, mini()).eval(), controlnet.residuals
    adapter = t2i_adapter.AdapterRecipe(train=Range(count=1), fit=fit)
    return t2i_adapter.build(adapter, mini()).eval(), t2i_adapter.residuals


def drawn(encoder: nn.Module | None, strokes: Tensor) -> Tensor:
    noise = torch.randn(len(strokes), 4, 16, 16, generator=torch.Generator().manual_seed(0))
    captions = [scene("test", index).caption for index in range(len(strokes))]
    return draw_with_encoder(mini(), encoder, captions, strokes, noise, SamplerSettings(steps=2))


@pytest.mark.parametrize("name", STAGES)
def test_the_recipes_have_the_triplets_and_the_budget_of_the_predictor(name: str) -> None:
    predictor = load_config(EXAMPLES / "train-lep.yaml", TrainConfig)
    build = read_yaml(EXAMPLES / "build-data.yaml")
    for times, recipe in ((1, f"{name}.yaml"), (8, f"{name}-8x.yaml")):
        found = load_config(RECIPES / recipe, STAGES[name])
        assert (found.train.split, found.train.start) == (build["source"]["split"], build["source"]["start"])
        assert found.train.count == build["limit"]
        assert found.detector.model_dump() == build["detector"]
        assert found.held_out == predictor.validation
        passes = found.fit.steps * found.fit.batch * found.fit.parts
        assert passes == times * predictor.steps * predictor.batch


def test_the_triplets_are_those_of_build_data(data: ControlTriplets) -> None:
    corpus = Sketchworld().open(size=64, limit=8)
    detector = ControlRecipe.model_fields["detector"].default
    for row in range(8):
        entry = corpus.entry(row)
        original = entry.load()
        pixels: Any = original.picture
        assert data.ids[row] == entry.id
        assert torch.equal(data.strokes[row], torch.from_numpy(detector.of_pixels(pixels[None])[0]))
        centred = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255
        assert torch.allclose(data.latents[row].float(), mini().encode_images(centred)[0], atol=5e-3)
        states = mini().encode_prompts([original.caption])["embeddings"][0]
        assert torch.allclose(data.states[row], states, atol=1e-5)
    pictures = data.pictures(torch.arange(8))
    assert pictures.shape == (8, 3, 64, 64)
    assert np.array_equal(pictures[:, 1].numpy() == 1, data.strokes.numpy())
    assert sorted(pictures.unique().tolist()) == [0, 1]


def test_held_out_triplets_are_in_one_part_alone(data: ControlTriplets) -> None:
    training, held_out = split_held_out(data, 0.5)
    assert sorted(training.ids + held_out.ids) == sorted(data.ids)
    assert all(is_held_out(name, 0.5) for name in held_out.ids)
    names = [f"sw1-train-{number:08d}" for number in range(4096)]
    assert sum(not is_held_out(name, 0.1) for name in names) == 3677


def test_cubic_timesteps_are_noisy_ones() -> None:
    fit = Fit(steps=1, batch=20_000, learning_rate=1.0)
    for kind, mean in (("uniform", 0.5), ("cubic", 0.75)):
        recipe = ControlRecipe.model_validate({"train": {"count": 1}, "fit": fit, "timesteps": kind})
        times = draw_times(recipe, 1000, torch.Generator().manual_seed(0))
        assert 0 <= times.min() <= times.max() <= 999
        assert abs(times.double().mean() / 1000 - mean) < 0.01


def test_an_untrained_controlnet_changes_no_bit(data: ControlTriplets) -> None:
    network, _ = fresh("controlnet")
    assert torch.equal(drawn(network, data.strokes[:2]), drawn(None, data.strokes[:2]))


@pytest.mark.parametrize("name", STAGES)
def test_the_maps_fit_the_unet_and_reach_its_prediction(name: str, data: ControlTriplets) -> None:
    network, residuals = fresh(name)
    torch.manual_seed(1)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.05)
    rows = torch.arange(4)
    inputs = Inputs(data.latents[rows].float(), torch.full((4,), 900), data.states[rows], data.pictures(rows))
    if name == "t2i-adapter":
        maps = residuals(network, inputs)["down_intrablock_additional_residuals"]
        assert [tuple(part.shape[1:]) for part in maps] == [(64, 8, 8), (96, 8, 8), (160, 4, 4)]
    with_it = measure_held_out(mini(), data, network, residuals)
    assert with_it != measure_held_out(mini(), data, network, lambda *_: {})
    assert not torch.equal(drawn(network.eval(), data.strokes[:2]), drawn(None, data.strokes[:2]))


@pytest.mark.parametrize("name", STAGES)
def test_an_interrupted_training_ends_with_the_same_weights(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trained(name, tmp_path / "whole")
    calls, loss = 0, denoising_loss

    def stop(*given: Any, **named: Any) -> dict[str, Tensor]:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise StoppedError
        return loss(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(control, "denoising_loss", stop)
        with pytest.raises(StoppedError):
            trained(name, tmp_path / "cut")
    resumed = trained(name, tmp_path / "cut")
    one, two = (load_file(folder / "diffusion_pytorch_model.safetensors") for folder in (whole, resumed))
    assert {value.dtype for value in one.values()} == {torch.float16}
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert (whole / "metrics.json").read_bytes() == (resumed / "metrics.json").read_bytes()
    described = json.loads((whole / "metrics.json").read_text())
    assert described["control_picture"] == {
        "polarity": "white-on-black", "channels": 3, "range": [0.0, 1.0],
    }  # fmt: skip
    assert described["backbone_passes"] == 8
    assert described["backbone_sha256"] == mini().files_sha256
    assert described["training_triplets"] + described["held_out_triplets"] == 12
    assert str(tmp_path) not in (whole / "config.json").read_text()
    pictures = drawn(load_encoder(whole), torch.zeros(1, 64, 64, dtype=torch.bool))
    assert pictures.shape == (1, 3, 64, 64)


@pytest.mark.slow
@pytest.mark.parametrize("name", STAGES)
def test_gates_of_an_encoder_are_shares(name: str, tmp_path: Path) -> None:
    folder = trained(name, tmp_path, steps=1)
    scenes = Range(split="test", count=2, things=1).scenes()
    gates = encoder_gates(folder, mini(), load_probe(PROBE), scenes, ignore_progress)
    assert [gate.name.split("/")[1] for gate in gates] == ["edge_f1_1px", *ATTRIBUTES]
    assert all(gate.name.startswith(f"{folder.name}/") and 0 <= gate.value <= 1 for gate in gates)
