"""A suite drawn with a control module: the record names its weights, its settings and its true cost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_controls import save_control
from tiny_evaluation import own_cache, tiny_judges, tiny_suite  # noqa: F401 - fixtures

from lepbench.errors import LepbenchError
from lepbench.evaluation.run import evaluate
from lepbench.files import sha256_file
from lepbench.judges import Judges
from lepbench.methods import ModelConfig
from lepbench.suites import Suite


def configure(backbone: Path, control: Path, **settings: object) -> ModelConfig:
    method = {
        "name": "controlled",
        "control": str(control),
        "polarity": "white-on-black",
        "channels": 1,
        "range": [0, 1],
        **settings,
    }
    sampler = {"steps": 2, "scheduler": "unipc"}
    return ModelConfig.model_validate(
        {"name": "tiny", "backbone": str(backbone), "sampler": sampler, "method": method}
    )


def test_a_suite_is_drawn_and_its_record_is_whole(
    tiny_folder_of: Callable[[str], Path],
    tiny_suite: Suite,  # noqa: F811
    tiny_judges: Judges,  # noqa: F811
    own_cache: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    control = save_control("adapter-sd", tmp_path / "control")
    model = configure(tiny_folder_of("sd-v"), control, licence="none")
    record = evaluate(model, tiny_suite, tmp_path / "run", limit=4, judges=tiny_judges, device="cpu")
    weights = "diffusion_pytorch_model.safetensors"
    assert record.identity.weights[f"control/{weights}"] == sha256_file(control / weights)
    assert record.identity.model.method.model_dump()["licence"] == "none"
    assert "StableDiffusionAdapterPipeline of diffusers drew from a sketch white-on-black" in record.notes[-1]
    cost, plain = record.cost["model"], record.cost["unguided"]
    assert (cost.passes, cost.steered_passes) == (plain.passes, 0) == (4, 0)
    assert cost.tflop is not None
    assert plain.tflop is not None
    assert cost.tflop > plain.tflop
    with pytest.raises(LepbenchError, match="reads control pictures of 1 channels, not 3"):
        evaluate(
            configure(tiny_folder_of("sd-v"), control, channels=3),
            tiny_suite,
            tmp_path / "other",
            limit=4,
            judges=tiny_judges,
            device="cpu",
        )
