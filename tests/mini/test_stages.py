"""Every stage runs from a recipe to a folder that its reader loads, and needs what it needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from lepbench.errors import LepbenchError
from lepbench.mini.stages import train

FIT = "fit: {steps: 2, batch: 4, learning_rate: 1.0e-3, warmup: 1, log_every: 1, precision: fp32}"
RECIPES = {
    "vae": f"channels: [8, 8, 16]\ntrain: {{count: 8}}\n{FIT}",
    "unet": f"channels: [16, 16, 32]\ntext_width: 16\ntrain: {{count: 8}}\n{FIT}",
    "judge": f"vision_width: 32\nvision_layers: 1\ntext_width: 16\ntrain: {{count: 8}}\n{FIT}",
    "probe": f"train: {{count: 8, things: 1}}\n{FIT}",
    "segmenter": f"train: {{count: 8}}\n{FIT}",
    "matcher": f"train: {{count: 8}}\n{FIT}",
}


def trained(name: str, folder: Path) -> Path:
    recipe = folder / f"{name}.yaml"
    recipe.write_text(RECIPES[name])
    return train(name, folder, recipe)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stages")
    for name in RECIPES:
        trained(name, folder)
    return folder


def test_stock_diffusers_loads_and_samples_the_pipeline(folder: Path) -> None:
    from diffusers import StableDiffusionPipeline

    pipe = StableDiffusionPipeline.from_pretrained(folder / "mini@1")
    pipe.set_progress_bar_config(disable=True)
    picture = pipe("a red fish on pale sand", num_inference_steps=2, output_type="np").images
    assert picture.shape == (1, 64, 64, 3)
    assert pipe.scheduler.config.beta_schedule == "scaled_linear"


def test_weights_are_half_precision_safetensors_and_name_no_path(folder: Path) -> None:
    files = [
        path
        for name in ("mini@1", "judge@1", "probe@1", "segmenter@1", "matcher@1")
        for path in (folder / name).rglob("*")
    ]
    weights = [path for path in files if path.suffix == ".safetensors"]
    assert len(weights) == 7
    for path in weights:
        assert {v.dtype for v in load_file(path).values() if v.is_floating_point()} == {torch.float16}
    for path in files:
        if path.suffix == ".json":
            assert str(folder) not in path.read_text()
        assert path.suffix not in (".bin", ".pt", ".pkl")


def test_the_judge_is_read_by_the_scorer(folder: Path) -> None:
    from lepbench.judges.clip import ClipScorer

    scorer = ClipScorer.load(folder / "judge@1")
    assert scorer.image_features(torch.rand(2, 3, 64, 64)).shape[0] == 2
    assert scorer.text_features(["a red fish", "a blue cat"]).shape == (2, 64)


@pytest.mark.slow
def test_gates_are_measured_and_written_into_cards(folder: Path) -> None:
    from lepbench.mini.cards import write_cards
    from lepbench.mini.gates import measure

    seen: list[tuple[str, int, int]] = []
    gates = measure(folder, lambda *progress: seen.append(progress), count=4)
    assert {"vae/edge_f1_1px", "samples/one_thing/texture", "judge/top1_of_100"} <= {g.name for g in gates}
    assert all(0 <= gate.value <= 1 for gate in gates)
    assert not all(gate.met for gate in gates)
    card = write_cards(folder, gates)[0].read_text()
    assert "| vae/edge_f1_1px | " in card
    assert "missed" in card


def test_gates_of_one_model_are_measured_alone(folder: Path) -> None:
    from lepbench.mini.gates import measure
    from lepbench.progress import ignore_progress

    gates = measure(folder, ignore_progress, count=4, models=["segmenter@1"])
    assert [gate.name for gate in gates] == ["segmenter/mask_iou"]
    with pytest.raises(LepbenchError, match="no gates for 'segmenter'; did you mean"):
        measure(folder, ignore_progress, models=["segmenter"])


def test_the_unet_needs_a_vae(tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match="mini train vae"):
        trained("unet", tmp_path)


@pytest.mark.slow
def test_two_processes_fit_what_one_fits(tmp_path: Path) -> None:
    recipe = tmp_path / "segmenter.yaml"
    recipe.write_text(RECIPES["segmenter"].replace("batch: 4", "batch: 4, parts: 2"))
    train("segmenter", tmp_path / "one", recipe)
    command = ["mini", "train", "segmenter", "--recipe", str(recipe), "--out", str(tmp_path / "two")]
    run = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "lepbench", *command]
    subprocess.run(run, check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    one, two = (load_file(tmp_path / n / "segmenter" / "checkpoint.safetensors") for n in ("one", "two"))
    for name in one:
        # Batch statistics are each process's own; all that is learnt is shared.
        if "running" not in name and "num_batches" not in name:
            # Adam turns the rounding of a vanishing gradient into a step of up to 1e-3, here and there only.
            assert (one[name].float() - two[name].float()).abs().mean() < 5e-5, name
    assert json.loads((tmp_path / "two" / "segmenter" / "progress.json").read_text())["step"] == 2
