from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from safetensors.torch import load_file, save_file

from lepbench.backbones import Backbone, Conditioning, load_backbone
from lepbench.config import dump_config
from lepbench.data.read import Triplets
from lepbench.errors import LepbenchError
from lepbench.predictors import MlpConfig, MlpPredictor, Predictor, latents
from lepbench.predictors.features import NoisyFeatures
from lepbench.predictors.latents import EncodedTriplets, encode_triplets
from lepbench.predictors.process_group import ProcessGroup
from lepbench.predictors.train import learning_rate, train_predictor
from lepbench.predictors.train_config import TrainConfig
from lepbench.progress import ignore_progress

COUNT = 24


@pytest.fixture(scope="module")
def triplet_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four captioned discs, built into triplets."""
    from lepbench.data.build import build_triplets
    from lepbench.data.config import BuildConfig

    folder, out = tmp_path_factory.mktemp("discs"), tmp_path_factory.mktemp("built") / "triplets"
    random = np.random.default_rng(0)
    for number in range(COUNT):
        image = Image.new("RGB", (64, 64), tuple(random.integers(0, 80, 3).tolist()))
        x, y, r = (int(random.integers(*span)) for span in ((16, 48), (16, 48), (6, 15)))
        ImageDraw.Draw(image).ellipse((x - r, y - r, x + r, y + r), fill=(230, 220, 90))
        image.save(folder / f"{number:02}.png")
        (folder / f"{number:02}.txt").write_text("a disc" if number % 2 else "a yellow disc")
    build_triplets(BuildConfig.model_validate({"source": {"name": "folder", "path": folder}}), out)
    return out


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def config(triplet_folder: Path, tiny_pipeline_folder: Path, cache: Path) -> TrainConfig:
    return TrainConfig.model_validate(
        {
            "backbone": str(tiny_pipeline_folder),
            "data": triplet_folder,
            "validation": 0.25,
            "predictor": {"hidden": [16, 8]},
            "steps": 8,
            "batch": 4,
            "warmup": 2,
            "checkpoint_every": 3,
            "cache": cache,
            "device": "cpu",
        }
    )


def test_taps_are_those_that_the_recipe_names(
    config: TrainConfig, tiny_backbone: Backbone, tmp_path: Path
) -> None:
    assert "taps" not in config.identity
    assert "taps:" not in dump_config(config)
    early = config.model_copy(update={"taps": tiny_backbone.taps[:3], "steps": 2})
    outcome = train_predictor(early, tmp_path / "run", ignore_progress)
    assert outcome is not None
    assert outcome.recipe.taps == early.taps
    predictor = Predictor.from_pretrained(tmp_path / "run", tiny_backbone)
    assert tuple(predictor.config.taps) == early.taps
    with pytest.raises(LepbenchError, match=r"taps: .* has no tap 'mid'"):
        train_predictor(early.model_copy(update={"taps": ("mid",)}), tmp_path / "other", ignore_progress)


def test_a_run_leaves_a_predictor_a_card_and_figures_that_agree(
    config: TrainConfig, tiny_backbone: Backbone, tmp_path: Path
) -> None:
    outcome = train_predictor(config, tmp_path / "run", ignore_progress)
    assert outcome is not None
    predictor = Predictor.from_pretrained(tmp_path / "run", tiny_backbone)
    assert predictor.config.taps == tiny_backbone.tap_channels
    assert outcome.training_triplets + outcome.held_out_triplets == COUNT

    rows = list(csv.DictReader((tmp_path / "run" / "curve.csv").open()))
    assert [(row["t_low"], row["t_high"]) for row in rows] == [
        (f"{t}", f"{t + 100}") for t in range(0, 1000, 100)
    ]
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    mean = np.mean([float(row["mse"]) for row in rows])
    assert metrics["held_out_loss"] == pytest.approx(mean, rel=1e-4)
    assert metrics["backbone_sha256"] == tiny_backbone.files_sha256
    training = list(csv.DictReader((tmp_path / "run" / "training.csv").open()))
    assert [int(row["step"]) for row in training] == list(range(1, 9))
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    (last,) = (line for line in log if line.get("stage") == "training" and line["done"] == 8)
    assert last["loss"] == pytest.approx(float(training[-1]["loss"]), rel=1e-5)
    card = (tmp_path / "run" / "README.md").read_text()
    assert f"{metrics['held_out_loss']:.4f}" in card
    assert str(tmp_path) not in card.replace(str(config.backbone), "").replace(str(config.data), "")


@pytest.mark.slow
def test_an_interrupted_run_ends_with_the_same_bytes(config: TrainConfig, tmp_path: Path) -> None:
    train_predictor(config, tmp_path / "whole", ignore_progress)

    def interrupt(stage: str, done: int, total: int) -> None:
        if stage == "training" and done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_predictor(config, tmp_path / "cut", interrupt)
    assert not (tmp_path / "cut" / "predictor.safetensors").exists()
    seen: list[int] = []
    train_predictor(
        config,
        tmp_path / "cut",
        lambda stage, done, total: seen.append(done) if stage == "training" else None,
    )
    assert seen == [4, 5, 6, 7, 8]  # from the checkpoint after step 3
    for name in ("predictor.safetensors", "config.json", "curve.csv", "training.csv", "metrics.json"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


@pytest.mark.slow
def test_a_folder_of_another_run_is_refused(config: TrainConfig, tmp_path: Path) -> None:
    train_predictor(config, tmp_path / "run", ignore_progress)
    with pytest.raises(LepbenchError, match="run of another configuration; choose another --out"):
        train_predictor(config.model_copy(update={"seed": 1}), tmp_path / "run", ignore_progress)
    (tmp_path / "run" / "checkpoint.safetensors").write_bytes(b"not tensors")
    with pytest.raises(LepbenchError, match="delete it to train from the start"):
        train_predictor(config, tmp_path / "run", ignore_progress)


@pytest.mark.slow
def test_it_learns_edges_it_was_not_shown(config: TrainConfig, tmp_path: Path) -> None:
    longer = config.model_copy(
        update={"steps": 150, "batch": 8, "checkpoint_every": 1000, "learning_rate": 3e-3}
    )
    outcome = train_predictor(longer, tmp_path / "run", ignore_progress)
    assert outcome is not None
    rows = list(csv.DictReader((tmp_path / "run" / "curve.csv").open()))
    # Where little noise hides the picture, better than the best constant; and better than where much does.
    assert float(rows[0]["mse"]) < 0.9 * outcome.target_variance
    assert float(rows[0]["mse"]) < float(rows[-1]["mse"])


def test_pictures_are_encoded_once_for_the_same_weights_and_data(
    cache: Path, tiny_backbone: Backbone, triplet_folder: Path
) -> None:
    data = Triplets(triplet_folder)
    stages: list[str] = []
    first = encode_triplets(tiny_backbone, data, cache, lambda stage, *_: stages.append(stage))
    assert set(stages) == {"encoding pictures", "encoding captions"}
    stages.clear()
    second = encode_triplets(tiny_backbone, data, cache, lambda stage, *_: stages.append(stage))
    assert stages == []
    assert second.ids == first.ids == tuple(triplet.id for triplet in data)
    assert torch.equal(second.images, first.images)

    (path,) = cache.glob("*/*")
    path.write_bytes(path.read_bytes()[:100])
    third = encode_triplets(tiny_backbone, data, cache, lambda stage, *_: stages.append(stage))
    assert stages
    assert torch.equal(third.edges, first.edges)


def changed(folder: Path, file: str, **settings: object) -> None:
    """Change a JSON file of a pipeline."""
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


@pytest.mark.slow
def test_captions_and_pictures_are_encoded_anew_by_other_files(
    config: TrainConfig, cache: Path, triplet_folder: Path, tiny_pipeline_folder: Path, tmp_path: Path
) -> None:
    folder, data = Path(shutil.copytree(tiny_pipeline_folder, tmp_path / "model")), Triplets(triplet_folder)

    def encoded() -> bool:
        stages: list[str] = []
        encode_triplets(load_backbone(folder), data, cache, lambda stage, *_: stages.append(stage))
        return bool(stages)

    assert encoded()
    for file, settings in (
        ("vae/config.json", {"scaling_factor": 2.0}),
        ("tokenizer/tokenizer_config.json", {"model_max_length": 9}),
        ("unet/config.json", {"sample_size": 8}),
    ):
        changed(folder, file, **settings)
        assert encoded(), file
        assert not encoded(), file
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    save_file({name: -tensor for name, tensor in load_file(weights).items()}, weights)
    assert not encoded()


@pytest.mark.slow
def test_a_run_on_another_schedule_is_not_gone_on_with(
    config: TrainConfig, tiny_pipeline_folder: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_pipeline_folder, tmp_path / "model"))
    own = config.model_copy(update={"backbone": str(folder)})
    train_predictor(own, tmp_path / "run", ignore_progress)
    changed(folder, "scheduler/scheduler_config.json", beta_end=0.02)
    with pytest.raises(LepbenchError, match="run of another configuration"):
        train_predictor(own, tmp_path / "run", ignore_progress)


def test_encoded_triplets_are_the_backbones_own_latents(
    cache: Path, tiny_backbone: Backbone, triplet_folder: Path
) -> None:
    data = Triplets(triplet_folder)
    encoded = encode_triplets(tiny_backbone, data, cache, ignore_progress)
    row = 7
    triplet = data[row]
    picture = torch.from_numpy(triplet.image.copy()).permute(2, 0, 1)[None] / 255
    assert torch.allclose(encoded.images[row : row + 1], tiny_backbone.encode_images(picture), atol=2e-3)
    strokes = torch.from_numpy(triplet.edges.copy())[None]
    assert torch.allclose(encoded.edges[row : row + 1], tiny_backbone.encode_edges(strokes), atol=2e-3)
    expected = tiny_backbone.encode_prompts([triplet.text])
    found = encoded.text(torch.tensor([row]))
    assert torch.allclose(found["embeddings"], expected["embeddings"], atol=2e-3)
    assert [len(texts) for texts in encoded.texts] == [2]  # as many as there are different captions


def test_an_encoding_that_was_stopped_goes_on_shelf_by_shelf(
    cache: Path,
    tiny_backbone: Backbone,
    triplet_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = Triplets(triplet_folder)
    whole = encode_triplets(tiny_backbone, data, cache, ignore_progress)
    monkeypatch.setattr(latents, "SHARD", 5)
    place, shelves = tmp_path / "shelves", -(-len(data) // 5)
    seen: list[int] = []

    def stop_after_two(stage: str, done: int, total: int) -> None:
        if stage == "encoding pictures":
            seen.append(done)
            if len(seen) == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_triplets(tiny_backbone, data, place, stop_after_two)
    assert len(list(place.glob("*/*"))) == 2
    again = encode_triplets(tiny_backbone, data, place, stop_after_two)
    assert seen[3:] == [*range(15, len(data), 5), len(data)]

    def equal_to_whole(found: EncodedTriplets) -> bool:
        rows = torch.arange(len(data))
        tensors = [(getattr(one, name) for name in ("images", "edges", "strokes")) for one in (found, whole)]
        conditioning = [one.text(rows)["embeddings"] for one in (found, whole)]
        return found.ids == whole.ids and all(
            torch.allclose(a.float(), b.float(), atol=1e-3)
            for a, b in [*zip(*tensors, strict=True), conditioning]
        )

    assert equal_to_whole(again)
    assert sum(len(texts) for texts in again.texts) == len({triplet.text for triplet in data})
    files = sorted(place.glob("*/*"))
    assert len(files) == shelves
    bytes_before = [path.read_bytes() for path in files]
    files[1].write_bytes(b"damaged")
    assert equal_to_whole(encode_triplets(tiny_backbone, data, place, ignore_progress))
    assert [path.read_bytes() for path in files] == bytes_before


def test_latents_are_noised_by_the_training_schedule_and_read_with_the_caption(
    tiny_backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    taps = {"conv_in": 32}
    predictor = MlpPredictor(MlpConfig(taps=taps, out_channels=4, train_timesteps=1000)).eval()
    captured: dict[str, torch.Tensor] = {}

    def forward(features: dict[str, torch.Tensor], *_: Any) -> torch.Tensor:
        captured.update(features)
        return features["conv_in"][:, :4]

    monkeypatch.setattr(predictor, "forward", forward)
    latents, noise = torch.randn(2, 4, 16, 16), torch.randn(2, 4, 16, 16)
    timesteps = torch.tensor([3, 700])
    conditioning = Conditioning({"embeddings": torch.randn(2, 32, 32)})
    NoisyFeatures(tiny_backbone, predictor).predict(latents, noise, timesteps, conditioning)
    betas = np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
    kept = torch.tensor(np.cumprod(1 - betas)[timesteps], dtype=torch.float32)[:, None, None, None]
    noisy = kept.sqrt() * latents + (1 - kept).sqrt() * noise
    assert torch.allclose(captured["conv_in"], tiny_backbone.denoiser.conv_in(noisy), atol=1e-5)
    assert not captured["conv_in"].requires_grad


def test_the_learning_rate_rises_then_falls_to_nothing(config: TrainConfig) -> None:
    longer = config.model_copy(update={"steps": 100, "warmup": 10, "learning_rate": 1.0})
    rates = [learning_rate(longer, step) for step in range(100)]
    assert rates[:10] == pytest.approx([0.1 * (step + 1) for step in range(10)])
    assert rates[55] == pytest.approx(0.5)
    assert all(a >= b for a, b in pairwise(rates[9:]))
    assert 0 < rates[-1] < 0.001


def test_too_little_data_is_one_line(config: TrainConfig, tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match="too small to hold out"):
        train_predictor(config.model_copy(update={"validation": 1e-9}), tmp_path / "run", ignore_progress)
    with pytest.raises(LepbenchError, match="share 24 triplets"):
        train_predictor(
            config.model_copy(update={"validation": config.data}), tmp_path / "run", ignore_progress
        )
    with pytest.raises(LepbenchError, match="timesteps end at 2000"):
        train_predictor(config.model_copy(update={"timesteps": (0, 2000)}), tmp_path / "run", ignore_progress)


@pytest.mark.slow
def test_two_processes_train_what_one_does(config: TrainConfig, tmp_path: Path) -> None:
    train_predictor(config, tmp_path / "alone", ignore_progress)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(dump_config(config))
    # What `accelerate launch` starts on GPUs; on CPUs it starts one process.
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*launch, "-m", "lepbench", "train-lep", str(recipe), "--out", str(tmp_path / "together")],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1  # one of them speaks
    curves = [
        [float(row["loss"]) for row in csv.DictReader((tmp_path / name / "training.csv").open())]
        for name in ("alone", "together")
    ]
    assert len(curves[0]) == config.steps
    assert curves[1] == pytest.approx(curves[0], rel=1e-4)
    alone, together = (
        Predictor.from_pretrained(tmp_path / name).state_dict() for name in ("alone", "together")
    )
    for key in alone:
        if "running" in key:  # the norms' statistics are the whole batch's
            assert torch.allclose(alone[key], together[key], rtol=1e-3, atol=1e-4), key
    with pytest.raises(LepbenchError, match="3 processes cannot share a batch of 4 evenly"):
        ProcessGroup(rank=0, size=3).share(config.batch)
