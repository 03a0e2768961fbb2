"""The same training and the same method on a backbone of every family: triplets in, steered pictures out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lepbench.backbones import load_backbone
from lepbench.data.build import build
from lepbench.data.config import BuildConfig
from lepbench.guidance import SamplerSettings
from lepbench.methods import LepConfig, Request, UnguidedConfig
from lepbench.predictors.recipe import TrainConfig
from lepbench.predictors.train import train

HEIGHT, WIDTH = 32, 32


@pytest.fixture(scope="module")
def triplets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, out = tmp_path_factory.mktemp("halves"), tmp_path_factory.mktemp("built") / "triplets"
    for number in range(12):
        pixels = np.full((HEIGHT, WIDTH, 3), 20, np.uint8)
        pixels[:, 4 + 2 * number :] = 220
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
        (folder / f"{number:02}.txt").write_text("half a picture" if number % 2 else "two halves")
    build(BuildConfig.model_validate({"source": {"name": "folder", "path": folder}, "size": HEIGHT}), out)
    return out


@pytest.mark.parametrize("name", ["sd-v", "sdxl", "sd3", "flux-dev", "pixart-sigma"])
def test_a_predictor_is_trained_and_steers(name: str, tiny_folder_of, triplets, tmp_path: Path) -> None:
    folder = tiny_folder_of(name)
    recipe = TrainConfig.model_validate(
        {
            "backbone": str(folder),
            "data": triplets,
            "validation": 0.3,
            "predictor": {"hidden": [8]},
            "steps": 3,
            "batch": 4,
            "warmup": 1,
            "cache": tmp_path / "cache",
            "device": "cpu",
        }
    )
    outcome = train(recipe, tmp_path / "lep", lambda *_: None)
    assert np.isfinite([outcome.training_loss, outcome.held_out_loss]).all()
    # A second run finds the captions, of whatever tensors they consist, in the cache.
    stages: set[str] = set()
    train(recipe, tmp_path / "again", lambda stage, *_: stages.add(stage))
    assert "encoding captions" not in stages
    weights = [(tmp_path / run / "predictor.safetensors").read_bytes() for run in ("lep", "again")]
    assert weights[0] == weights[1]

    backbone = load_backbone(folder)
    sampler = SamplerSettings(steps=2, scheduler="flow_euler" if backbone.family.flow else "ddim")
    sketch = np.zeros((HEIGHT, WIDTH), dtype=bool)
    sketch[:, 12] = True
    asked = [Request("0.png", "two halves", sketch, 7)]
    method = LepConfig(predictor=str(tmp_path / "lep"), stop=0.0).build(backbone, sampler)
    steered, plain = method.draw(asked), UnguidedConfig().build(backbone, sampler).draw(asked)
    assert steered.shape == (1, 3, HEIGHT, WIDTH)
    assert torch.isfinite(steered).all()
    assert (steered - plain).abs().max() > 1e-3
