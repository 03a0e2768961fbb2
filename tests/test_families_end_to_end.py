"""The same training and the same method on a backbone of every family: triplets in, steered pictures out."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_evaluation import own_cache, tiny_judges, tiny_suite  # noqa: F401 - fixtures

from lepbench.backbones import load_backbone
from lepbench.backbones.load import Precision
from lepbench.data.build import build_triplets
from lepbench.data.config import BuildConfig
from lepbench.evaluation.run import evaluate
from lepbench.guidance import SamplerSettings
from lepbench.guidance.schedulers import imply_sampler
from lepbench.judges import Judges
from lepbench.methods import LepConfig, ModelConfig, Request, UnguidedConfig
from lepbench.predictors.train import train_predictor
from lepbench.predictors.train_config import TrainConfig
from lepbench.suites import Suite

pytestmark = pytest.mark.slow

HEIGHT, WIDTH = 32, 32


@pytest.fixture(scope="module")
def triplets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, out = tmp_path_factory.mktemp("halves"), tmp_path_factory.mktemp("built") / "triplets"
    for number in range(12):
        pixels = np.full((HEIGHT, WIDTH, 3), 20, np.uint8)
        pixels[:, 4 + 2 * number :] = 220
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
        (folder / f"{number:02}.txt").write_text("half a picture" if number % 2 else "two halves")
    build_triplets(
        BuildConfig.model_validate({"source": {"name": "folder", "path": folder}, "size": HEIGHT}), out
    )
    return out


FAMILIES = ("sd-v", "lcm", "sdxl", "sd3", "flux-dev", "pixart-sigma")
RECENT = ("sd35", "sana", "z-image", "qwen-image", "flux2-klein")


@pytest.mark.parametrize(
    ("name", "precision"),
    [
        *product(FAMILIES, ["float32", "bfloat16"]),
        *product(["sd3", "flux-dev", "pixart-sigma"], ["float16"]),
        *product(RECENT, ["bfloat16"]),
    ],
)
def test_a_predictor_is_trained_and_steers(
    name: str, precision: Precision, tiny_folder_of: Callable[[str], Path], triplets: Path, tmp_path: Path
) -> None:
    folder = tiny_folder_of(name)
    recipe = TrainConfig.model_validate(
        {
            "backbone": str(folder),
            "precision": precision,
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
    outcome = train_predictor(recipe, tmp_path / "lep", lambda *_: None)
    assert outcome is not None
    assert np.isfinite([outcome.training_loss, outcome.held_out_loss]).all()
    # A second run finds the captions, of whatever tensors they consist, in the cache.
    stages: set[str] = set()
    train_predictor(recipe, tmp_path / "again", lambda stage, *_: stages.add(stage))
    assert "encoding captions" not in stages
    weights = [(tmp_path / run / "predictor.safetensors").read_bytes() for run in ("lep", "again")]
    assert weights[0] == weights[1]

    backbone = load_backbone(folder, precision=precision)
    sampler = SamplerSettings.model_validate({"scheduler": "ddim", **imply_sampler(backbone), "steps": 2})
    sketch = np.zeros((HEIGHT, WIDTH), dtype=bool)
    sketch[:, 12] = True
    asked = [Request("0.png", "two halves", sketch, 7)]
    method = LepConfig(predictor=str(tmp_path / "lep"), stop=0.0).build(backbone, sampler)
    steered, plain = method.draw(asked), UnguidedConfig().build(backbone, sampler).draw(asked)
    assert steered.shape == (1, 3, HEIGHT, WIDTH)
    assert torch.isfinite(steered).all()
    assert (steered - plain).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("name", "precision"), [("sdxl", "bfloat16"), ("flux-dev", "float32"), ("lcm", "float32")]
)
def test_a_suite_is_drawn_and_scored(
    name: str,
    precision: Precision,
    tiny_folder_of: Callable[[str], Path],
    tiny_suite: Suite,  # noqa: F811
    tiny_judges: Judges,  # noqa: F811
    own_cache: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    folder = tiny_folder_of(name)
    sampler = {"scheduler": "ddim", **imply_sampler(load_backbone(folder)), "steps": 2}
    model = ModelConfig.model_validate(
        {
            "name": "tiny",
            "backbone": str(folder),
            "precision": precision,
            "sampler": sampler,
            "method": {"name": "unguided"},
        }
    )
    record = evaluate(model, tiny_suite, tmp_path, limit=4, judges=tiny_judges, device="cpu")
    assert record.failed["model"] == 0
    f1 = record.rows["model"]["edge_f1_1px"].value
    assert f1 is not None
    assert 0 <= f1 <= 1
    assert load_backbone(folder, precision=precision).denoiser.dtype == getattr(torch, precision)
