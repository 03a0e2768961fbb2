"""What the shipped models promise, checked on scenes that none was trained on."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from lepbench.backbones import load_backbone
from lepbench.config import load_config
from lepbench.embedded import ASSETS
from lepbench.files import sha256_file
from lepbench.guidance import SamplerSettings
from lepbench.images import to_tensor
from lepbench.judges import JudgeStatistics
from lepbench.judges.classifier import load_probe
from lepbench.judges.clip import ClipScorer
from lepbench.judges.matcher import load_matcher
from lepbench.judges.paths import JUDGE, PROBE, STATISTICS
from lepbench.judges.segmenter import load_segmenter
from lepbench.methods.base import Request
from lepbench.methods.known_controls import PICTURE, load_known_controls
from lepbench.methods.model import ModelConfig
from lepbench.metrics.edges import edge_counts, precision_recall_f1
from lepbench.metrics.frechet import FeatureStatistics, frechet_distance
from lepbench.metrics.kid import kid, reference
from lepbench.mini.control_pipeline import draw_with_encoder, load_encoder
from lepbench.mini.corpus import Range
from lepbench.mini.gate import DETECTOR
from lepbench.mini.gates import (
    CAPTIONS,
    ONE_THING,
    judge_gates,
    matcher_gates,
    segmenter_gate,
    vae_gates,
)
from lepbench.seeds import draw_noise
from lepbench.sketchworld import render

COUNT = 512
EXAMPLES = Path(__file__).parents[2] / "examples"
ENCODERS = ("controlnet-mini@1", "t2i-adapter-mini@1")
MINI = ASSETS / "mini@1"
UNSEEN = Range(split="test", start=800_000, count=COUNT)


@pytest.fixture(scope="module")
def judge() -> ClipScorer:
    return ClipScorer.load(JUDGE)


@pytest.fixture(scope="module")
def renderings() -> tuple[Tensor, Tensor]:
    """Pictures [N, 3, 64, 64], and the contours of each picture's next neighbour [N, 1, 64, 64]."""
    drawn = [render(scene) for scene in UNSEEN.scenes()]
    pictures = torch.stack([to_tensor(one.image) for one in drawn])
    contours = torch.stack([torch.from_numpy(one.contours) for one in drawn]).float()[:, None]
    return pictures, contours.roll(1, dims=0)


def damaged(kind: str, strength: float, pictures: Tensor, contours: Tensor) -> Tensor:
    """Pictures blurred by `strength` px, noised by it, or with a wrong sketch drawn on at that opacity."""
    from kornia.filters import gaussian_blur2d

    if kind == "blur":
        return gaussian_blur2d(pictures, (11, 11), (strength, strength))
    if kind == "noise":
        grain = torch.randn(pictures.shape, generator=torch.Generator().manual_seed(0))
        return (pictures + strength * grain).clamp(0, 1)
    return pictures * (1 - strength * contours)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "strengths"),
    [("blur", (1.2, 2.0, 3.2)), ("noise", (0.05, 0.15, 0.4)), ("overlay", (0.3, 0.6, 1.0))],
)
def test_distances_grow_with_the_damage(
    judge: ClipScorer, renderings: tuple[Tensor, Tensor], kind: str, strengths: tuple[float, ...]
) -> None:
    known = JudgeStatistics.load(STATISTICS)
    near = reference(known.features)
    pictures, contours = renderings
    versions = [pictures, *(damaged(kind, strength, pictures, contours) for strength in strengths)]
    with torch.no_grad():
        features = [
            torch.cat([judge.image_embedding(part) for part in torch.split(version, 64)]).double().numpy()
            for version in versions
        ]
    kids = [kid(one, near) for one in features]
    distances = [frechet_distance(FeatureStatistics.of(one), known.moments) for one in features]
    assert all(b > a for a, b in pairwise(kids)), kids
    assert all(b > a for a, b in pairwise(distances)), distances
    # Undamaged pictures of the same world are near the reference, far below the worst damage.
    assert abs(kids[0]) < 0.1 * kids[-1], kids


def test_reference_statistics_are_those_of_their_features() -> None:
    known = JudgeStatistics.load(STATISTICS)
    features = np.asarray(known.features, dtype=np.float64)
    assert features.shape[0] == 10_000
    assert np.allclose(known.moments.mean, features.mean(0), atol=1e-2)
    assert np.allclose(known.moments.covariance, np.cov(features.T), atol=1e-1)


@pytest.mark.slow
def test_judge_vae_and_segmenter_meet_their_gates(judge: ClipScorer) -> None:
    few = ONE_THING.model_copy(update={"count": 128}).scenes()
    gates = vae_gates(load_backbone(MINI), load_probe(PROBE), few)
    gates += judge_gates(judge, CAPTIONS.model_copy(update={"count": 500}).scenes())
    for gate in gates:
        # A part of the scenes of the published figure: two standard errors of slack.
        slack = 2 * (gate.value * (1 - gate.value) / 128) ** 0.5
        assert gate.threshold is None or gate.value + slack >= gate.threshold, gate
    assert segmenter_gate(load_segmenter(), few).value > 0.95


@pytest.mark.slow
def test_the_matcher_knows_shapes_whatever_their_place() -> None:
    gates = matcher_gates(load_matcher(), CAPTIONS.model_copy(update={"count": 256}).scenes())
    by_level = [gate.value for gate in gates]
    assert by_level[0] > 0.6, gates
    assert min(by_level) > 0.3, gates


def test_stock_diffusers_loads_and_samples_the_backbone() -> None:
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(MINI, low_cpu_mem_usage=False)
    pipeline.set_progress_bar_config(disable=True)
    drawn = pipeline(
        ["a red fish on a white background"] * 2,
        num_inference_steps=4,
        guidance_scale=4.0,
        output_type="pt",
        generator=torch.Generator().manual_seed(0),
    ).images
    assert drawn.shape == (2, 3, 64, 64)
    assert drawn.std() > 0.1
    assert sum(weight.numel() for weight in pipeline.unet.parameters()) <= 12_000_000


def test_assets_stay_small_and_pickle_free() -> None:
    files = [path for path in ASSETS.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 60 * 2**20
    allowed = {".safetensors", ".json", ".md", ".yaml", ".parquet", ".txt"}
    assert {path.suffix for path in files} <= allowed


@pytest.mark.slow
@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_follows_the_sketch(name: str) -> None:
    backbone, count = load_backbone(MINI), 16
    scenes = UNSEEN.model_copy(update={"count": count}).scenes()
    sketches = DETECTOR(torch.stack([to_tensor(render(there).image) for there in scenes]))
    noise = torch.stack([draw_noise(seed, backbone.latent_shape(64)) for seed in range(count)])
    captions = [there.caption for there in scenes]
    f1 = []
    for encoder in (load_encoder(ASSETS / name), None):
        sampler = SamplerSettings(steps=20, scheduler="unipc")
        pictures = draw_with_encoder(backbone, encoder, captions, sketches, noise, sampler)
        f1.append(float(precision_recall_f1(edge_counts(DETECTOR(pictures), sketches, (1.0,))).f1.mean()))
    assert f1[0] > f1[1] + 0.15, f1


@pytest.mark.parametrize("name", ENCODERS)
def test_the_method_draws_as_the_encoder_was_trained(name: str) -> None:
    backbone, sampler = load_backbone(MINI), SamplerSettings(steps=2)
    model = load_config(EXAMPLES / f"mini-{name.removesuffix('-mini@1')}.yaml", ModelConfig)
    (there,) = UNSEEN.model_copy(update={"count": 1}).scenes()
    strokes = render(there).contours
    requests = [Request("item", there.caption, strokes, seed=7)]
    by_method = model.method.build(backbone, sampler).draw(requests)
    noise = draw_noise(7, backbone.latent_shape(64))[None]
    encoder, sketch = load_encoder(ASSETS / name), torch.from_numpy(strokes)[None]
    direct = draw_with_encoder(backbone, encoder, [there.caption], sketch, noise, sampler)
    assert torch.allclose(by_method, direct, atol=1e-4)


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_states_its_backbone_its_picture_and_its_hash(name: str) -> None:
    facts = json.loads((ASSETS / name / "metrics.json").read_text(encoding="utf-8"))
    assert facts["backbone_sha256"] == load_backbone(MINI).files_sha256
    assert (facts["training_triplets"], facts["held_out_triplets"]) == (3677, 419)
    assert facts["held_out_mse"] < facts["held_out_mse_without"]
    known = load_known_controls()[name].model_dump(mode="json")
    assert facts["control_picture"] == {key: known[key] for key in PICTURE}
    card = (ASSETS / name / "README.md").read_text(encoding="utf-8")
    assert sha256_file(ASSETS / name / "diffusion_pytorch_model.safetensors") in card
    assert "white strokes on black" in card


@pytest.mark.parametrize(
    "name",
    sorted(
        path.name
        for path in ASSETS.iterdir()
        if path.is_dir() and path.name not in ("suites", "emoji-corpus@1")
    ),
)
def test_every_model_has_a_card_with_its_figures(name: str) -> None:
    card = Path(ASSETS / name / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\n")
    assert "| " in card
