"""What public re-implementations get wrong in training, each held against a whole run here."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.guidance import SamplerSettings, SketchGuidance, sample
from lepbench.predictors import MlpPredictor, Predictor
from lepbench.predictors.heldout import measure_held_out_curve
from lepbench.predictors.latents import EncodedTriplets, encode_triplets
from lepbench.predictors.train import train_on
from lepbench.predictors.train_config import TrainConfig

STEPS, BATCH = 12, 5


@dataclass(frozen=True)
class Square:
    """A triplet: a white square on black, its outline, and a caption of its own."""

    id: str
    image: np.ndarray
    edges: np.ndarray
    text: str


class Squares:
    """Ten of them."""

    identity = "squares"

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int, /) -> Square:
        edges = np.zeros((64, 64), bool)
        edges[10 + index : 40, 10 + index : 40] = True
        edges[12 + index : 38, 12 + index : 38] = False
        image = np.full((64, 64, 3), 20 * index, np.uint8)
        image[edges] = 255
        return Square(str(index), image, edges, "abcdefghij"[index])


@contextmanager
def calls_of(module: torch.nn.Module) -> Iterator[list[tuple]]:
    """Positional inputs of every call of a module while the block runs."""
    seen: list[tuple] = []
    handle = module.register_forward_pre_hook(lambda module, inputs: seen.append(inputs))
    try:
        yield seen
    finally:
        handle.remove()


@pytest.fixture(scope="module")
def backbone(tiny_backbone: Backbone) -> Backbone:
    """A copy whose U-Net may be listened to."""
    return dataclasses.replace(tiny_backbone, denoiser=copy.deepcopy(tiny_backbone.denoiser))


@pytest.fixture(scope="module")
def data(backbone: Backbone, tmp_path_factory: pytest.TempPathFactory) -> EncodedTriplets:
    return encode_triplets(backbone, Squares(), tmp_path_factory.mktemp("cache"), lambda *_: None)


@pytest.fixture(scope="module")
def run(
    backbone: Backbone, data: EncodedTriplets, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[tuple]]:
    """A finished run, and what the U-Net was given in its training steps."""
    config = TrainConfig.model_validate(
        {"data": "squares", "steps": STEPS, "batch": BATCH, "predictor": {"hidden": [8]}, "warmup": 0}
    )
    out = tmp_path_factory.mktemp("run")
    assert backbone.tap_channels
    with calls_of(backbone.denoiser) as seen:
        train_on(config, backbone, data=data, held_out=data, out=out, progress=lambda *_: None)
    return out, seen[:STEPS]


def clean_rows(data: EncodedTriplets, seen: tuple, backbone: Backbone) -> list[int]:
    """Which triplets the captions of a call belong to."""
    known = data.text(torch.arange(len(data)))["embeddings"]
    return [int((known - text).abs().flatten(1).sum(1).argmin()) for text in seen[2]]


def test_the_network_sees_noised_latents_of_the_captioned_pictures(
    run: tuple[Path, list[tuple]], data: EncodedTriplets, backbone: Backbone
) -> None:
    _, seen = run
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    kept = torch.cumprod(1 - betas, 0).float()
    for noisy, timesteps, text in seen:
        # One half: as many captions as latents, each the caption of some picture and none the empty one.
        assert len(noisy) == len(timesteps) == len(text) == BATCH
        rows = clean_rows(data, (noisy, timesteps, text), backbone)
        assert torch.allclose(text, data.text(torch.tensor(rows))["embeddings"])
        share = kept[timesteps][:, None, None, None]
        noise = (noisy - share.sqrt() * data.images[rows]) / (1 - share).sqrt()
        # What is left is standard normal, at every timestep, and independent within the batch.
        assert noise.mean().abs() < 0.15
        assert noise.std() == pytest.approx(1, abs=0.1)
        together = torch.corrcoef(noise.flatten(1)) - torch.eye(BATCH)
        assert together.abs().max() < 0.2


def test_timesteps_cover_the_whole_schedule_in_every_batch(run: tuple[Path, list[tuple]]) -> None:
    _, seen = run
    for _, timesteps, _ in seen:
        assert (timesteps.sort().values * BATCH // 1000).tolist() == list(range(BATCH))
    everything = torch.cat([timesteps for _, timesteps, _ in seen])
    assert everything.max() > 900
    assert len(set(everything.tolist())) > 0.8 * STEPS * BATCH


def test_no_batch_is_repeated(
    run: tuple[Path, list[tuple]], data: EncodedTriplets, backbone: Backbone
) -> None:
    _, seen = run
    assert len(seen) == STEPS
    for first, second in pairwise(seen):
        assert not torch.equal(first[0], second[0])
    rows = [clean_rows(data, call, backbone) for call in seen]
    assert len({tuple(row) for row in rows}) == STEPS
    assert {row for batch in rows for row in batch} == set(range(10))


def test_nothing_is_left_on_the_backbone(run: tuple[Path, list[tuple]], backbone: Backbone) -> None:
    for part in (backbone.denoiser, backbone.vae, backbone.text.encoders["text_encoder"]):
        assert not any(module._forward_hooks for module in part.modules())
        assert all(p.grad is None and not p.requires_grad for p in part.parameters())
        assert not any(module.training for module in part.modules())


def test_pictures_and_captions_are_encoded_once(backbone: Backbone, tmp_path: Path) -> None:
    with (
        calls_of(backbone.vae.encoder) as pictures,
        calls_of(backbone.text.encoders["text_encoder"]) as texts,
    ):
        data = encode_triplets(backbone, Squares(), tmp_path / "cache", lambda *_: None)
        encoded = sum(len(inputs[0]) for inputs in pictures)
        assert encoded == 2 * 10
        assert len(texts) == 1
        config = TrainConfig.model_validate(
            {"data": "x", "steps": 3, "batch": 4, "predictor": {"hidden": [8]}}
        )
        train_on(config, backbone, data=data, held_out=data, out=tmp_path / "run", progress=lambda *_: None)
        encode_triplets(backbone, Squares(), tmp_path / "cache", lambda *_: None)
        assert (sum(len(inputs[0]) for inputs in pictures), len(texts)) == (encoded, 1)


def test_strokes_go_in_as_plus_one_on_minus_one_and_grey_between(backbone: Backbone, tmp_path: Path) -> None:
    class Grey(Squares):
        identity = "grey squares"

        def __getitem__(self, index: int, /) -> Square:
            plain = super().__getitem__(index)
            return dataclasses.replace(plain, edges=plain.edges.astype(np.uint8) * 204)

    with calls_of(backbone.vae.encoder) as seen:
        plain = encode_triplets(backbone, Squares(), tmp_path, lambda *_: None)
        maps = torch.cat([inputs[0] for inputs in seen])[10:]
    strokes = torch.from_numpy(np.stack([Squares()[i].edges for i in range(10)]))
    assert torch.equal(maps, (strokes * 2.0 - 1).unsqueeze(1).expand(-1, 3, -1, -1))
    pooled = strokes.unflatten(1, (16, 4)).unflatten(3, (16, 4)).any(4).any(2)
    assert torch.equal(plain.strokes, pooled)

    with calls_of(backbone.vae.encoder) as seen:
        grey = encode_triplets(backbone, Grey(), tmp_path, lambda *_: None)
        maps = torch.cat([inputs[0] for inputs in seen])[10:]
    assert maps.unique().tolist() == pytest.approx([-1, 2 * 204 / 255 - 1])
    assert torch.equal(grey.strokes, plain.strokes)
    assert not torch.allclose(grey.edges, plain.edges)


def test_sampling_leaves_the_statistics_of_the_norms_alone(
    run: tuple[Path, list[tuple]], backbone: Backbone
) -> None:
    predictor = Predictor.from_pretrained(run[0], backbone)
    assert isinstance(predictor, MlpPredictor)
    before = {name: value.clone() for name, value in predictor.state_dict().items()}
    start = torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    guidance = SketchGuidance(predictor, torch.zeros_like(start), 1.6, 0.0)
    sample(backbone, ["a", "b"], start, SamplerSettings(steps=2), guidance)
    assert all(torch.equal(before[name], value) for name, value in predictor.state_dict().items())
    # They are what training saw, not what a norm starts from.
    assert before["standardise.0.num_batches_tracked"] == STEPS
    assert before["standardise.0.running_mean"].abs().max() > 0


def test_the_held_out_error_on_strokes_is_that_of_the_latents_under_strokes(
    run: tuple[Path, list[tuple]], backbone: Backbone, data: EncodedTriplets
) -> None:
    class Blind(MlpPredictor):
        def forward(
            self,
            features: Mapping[str, Tensor],
            timesteps: Tensor,
            size: tuple[int, int],
            noise: Tensor | None = None,
        ) -> Tensor:
            return torch.zeros(len(timesteps), 4, *size)

    loaded = Predictor.from_pretrained(run[0], backbone)
    assert isinstance(loaded, MlpPredictor)
    blind = Blind(loaded.config)
    (part,) = measure_held_out_curve(backbone, blind, data, lambda *_: None, bins=1)
    under = data.edges.movedim(1, -1)[data.strokes]
    assert part.stroke_mse == pytest.approx(float(under.square().mean()), rel=1e-5)
    assert part.mse == pytest.approx(float(data.edges.square().mean()), rel=1e-5)
