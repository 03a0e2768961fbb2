"""Samples a second in the training of a predictor: ours against a literal rendering of the public code's way.

    python benchmarks/training.py --rounds 3

U-Net, VAE and text encoder have Stable Diffusion 1.5's configuration and random weights, the predictor the
paper's layers. Literal: a picture at a time, every step encodes picture, edge map and caption, runs the U-Net
to its end on both halves of classifier-free guidance, and concatenates the captioned half's nine taps at the
latent's size; nothing is frozen, so the way back goes through the U-Net. Frugal: the same, but for whole
batches and without a gradient in the U-Net, as the paper says it. Neither repeats a batch, as some code does.
Ours: `train_step`, as `lepbench train-lep` runs it, on triplets that were encoded before. They take turns in
float32; medians are told on stdout, as JSON:

    literal_samples_s, frugal_samples_s, ours_samples_s   samples a second
    ratio, frugal_ratio                 ours to literal, ours to frugal
    forward_share                       of our step, what the pass of the U-Net takes
    encode_s                            seconds to encode one triplet, which ours does once a data set
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import diffusers
import numpy as np
import torch
import torch.nn.functional as F
import transformers
from guided_step import LiteralPredictor, random_backbone
from numpy.typing import NDArray
from torch import Tensor

from lepbench.backbones import Backbone, Conditioning
from lepbench.backbones.family import TextParts
from lepbench.backbones.known import load_known
from lepbench.backbones.sd import StableDiffusion
from lepbench.backbones.taps import collect_taps
from lepbench.images import Pixels
from lepbench.predictors import MlpConfig, MlpPredictor
from lepbench.predictors.features import NoisyFeatures
from lepbench.predictors.latents import EncodedTriplets, encode
from lepbench.predictors.train import train_step
from lepbench.predictors.train_config import TrainConfig

TEXT = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}
"""CLIP ViT-L/14's text encoder, where it differs from the defaults of its class."""
TINY_TEXT = TEXT | {"num_hidden_layers": 1}
TINY_VAE = {"block_out_channels": [32, 32, 64, 64]}
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def whole_backbone(tiny: bool) -> Backbone:
    """All of the pipeline with random weights; captions are tokenized letter by letter, to 77 tokens."""
    bare, model = random_backbone(tiny), load_known()["sd15"]
    vae = diffusers.AutoencoderKL.from_config({**model.vae, **(TINY_VAE if tiny else {})})
    encoder = transformers.CLIPTextModel(transformers.CLIPTextConfig(**(TINY_TEXT if tiny else TEXT)))
    tokens = ["<|startoftext|>", "<|endoftext|>", *LETTERS, *(f"{letter}</w>" for letter in LETTERS)]
    vocabulary = {token: place for place, token in enumerate(tokens)}
    tokenizer = transformers.CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)
    frozen = encoder.eval().requires_grad_(False)
    return dataclasses.replace(
        bare,
        family=StableDiffusion(),
        vae=vae.eval().requires_grad_(False),
        text=TextParts(
            {"tokenizer": tokenizer},
            {"text_encoder": frozen},
            {},
            denoiser=bare.text.denoiser,
            device=bare.device,
        ),
    )


class Triplet(NamedTuple):
    id: str
    image: Pixels
    edges: NDArray[np.bool_]
    text: str


class RandomTriplets:
    """Noise for pictures, one pixel in ten a stroke, and captions of 30 letters."""

    identity = "random"

    def __init__(self, count: int, size: int) -> None:
        self.count, self.size = count, size

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Triplet:
        random = np.random.default_rng(index)
        image = random.integers(0, 256, (self.size, self.size, 3), np.uint8)
        edges = random.random((self.size, self.size)) < 0.1
        return Triplet(str(index), image, edges, "".join(random.choice(list(LETTERS), 30)))


class TimedFeatures(NoisyFeatures):
    """Adds up the seconds spent in the frozen network."""

    forward_s = 0.0

    def read(
        self, latents: Tensor, noise: Tensor, timesteps: Tensor, conditioning: Conditioning
    ) -> tuple[dict[str, Tensor], Tensor, Tensor | None]:
        started = time.perf_counter()
        found = super().read(latents, noise, timesteps, conditioning)
        self.forward_s += time.perf_counter() - started
        return found


class LiteralTraining:
    """A step as it is usually written: from files' contents to the optimiser, with nothing kept between.

    Args:
        frozen: no gradient enters the U-Net.
    """

    def __init__(
        self, backbone: Backbone, hidden: tuple[int, ...], data: RandomTriplets, batch: int, frozen: bool
    ) -> None:
        self.backbone, self.data, self.batch, self.frozen = backbone, data, batch, frozen
        self.predictor = LiteralPredictor(sum(backbone.tap_channels.values()), hidden)
        self.optimiser = torch.optim.Adam(self.predictor.parameters(), lr=1e-4)
        self.schedule = diffusers.DDPMScheduler(**backbone.scheduler)

    def latents(self, pictures: list[NDArray[Any]]) -> Tensor:
        """Pictures `[H, W, 3]` of 0 to 255, encoded."""
        centred = torch.from_numpy(np.stack(pictures)).movedim(-1, 1).float() / 127.5 - 1
        vae = self.backbone.vae
        encoded: Tensor = vae.encode(centred).latent_dist.sample() * vae.config.scaling_factor
        return encoded

    def texts(self, captions: list[str]) -> Tensor:
        ids = self.backbone.text.tokens("tokenizer", captions, 77).input_ids
        embeddings: Tensor = self.backbone.text.encoders["text_encoder"](ids)[0]
        return embeddings

    @torch.no_grad()
    def encoded(self, batch: list[Triplet]) -> tuple[Tensor, Tensor, Tensor]:
        """Pictures, edge maps, and the texts of both halves."""
        images = self.latents([triplet.image for triplet in batch])
        edges = self.latents([np.repeat(t.edges[..., None] * np.uint8(255), 3, -1) for t in batch])
        return images, edges, self.texts([""] * len(batch) + [triplet.text for triplet in batch])

    def inputs(self, batch: list[Triplet]) -> tuple[list[Tensor], Tensor, Tensor]:
        """The captioned half's taps, timesteps, and encoded edge maps."""
        images, edges, texts = self.encoded(batch)
        when = torch.randint(self.schedule.config.num_train_timesteps, (len(batch),))
        noisy = self.schedule.add_noise(images, torch.randn_like(images), when)
        with collect_taps(self.backbone.denoiser, self.backbone.taps) as outputs:
            self.backbone.denoiser(torch.cat([noisy, noisy]), torch.cat([when, when]), texts)
        maps = [
            out[0] if isinstance(out, tuple) else out for out in map(outputs.__getitem__, self.backbone.taps)
        ]
        return [map_.chunk(2)[1] for map_ in maps], when, edges

    def step(self) -> None:
        batch = [self.data[int(row)] for row in torch.randint(len(self.data), (self.batch,))]
        self.backbone.denoiser.requires_grad_(not self.frozen)
        with torch.set_grad_enabled(not self.frozen):
            features, when, edges = self.inputs(batch)
        predicted = self.predictor(features, when / 1000, (edges.shape[-2], edges.shape[-1]))
        loss = F.mse_loss(predicted, edges)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        # The network is shared with the others of this contest.
        self.backbone.denoiser.requires_grad_(False).zero_grad()


class OurTraining:
    """Steps of `lepbench train-lep`, one after another."""

    def __init__(
        self, backbone: Backbone, hidden: tuple[int, ...], data: EncodedTriplets, batch: int
    ) -> None:
        options = {
            "taps": backbone.tap_channels,
            "out_channels": 4,
            "train_timesteps": 1000,
            "hidden": hidden,
        }
        self.features = TimedFeatures(backbone, MlpPredictor(MlpConfig(**options)).train())
        self.config = TrainConfig(data=Path(), batch=batch)
        self.optimiser = torch.optim.AdamW(self.features.predictor.parameters(), lr=0.0)
        self.data, self.steps = data, 0

    def step(self) -> None:
        train_step(self.config, self.features, self.data, optimiser=self.optimiser, step=self.steps)
        self.steps += 1


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure(
    literal: LiteralTraining, frugal: LiteralTraining, ours: OurTraining, batch: int, rounds: int
) -> dict[str, float]:
    """Medians of the interleaved rounds; one step of each, that is not told, goes before them."""
    ways: dict[str, LiteralTraining | OurTraining] = {"literal": literal, "frugal": frugal, "ours": ours}
    samples = {"literal": literal.batch, "frugal": frugal.batch, "ours": batch}
    for way in ways.values():
        way.step()
    taken: dict[str, list[float]] = {name: [] for name in ways}
    shares = []
    for number in range(rounds):
        ours.features.forward_s = 0.0
        # Each goes first as often as the others.
        for name in [*ways, *ways][number % len(ways) :][: len(ways)]:
            taken[name].append(seconds(ways[name].step))
        shares.append(ours.features.forward_s / taken["ours"][-1])
        said = ", ".join(f"{name} {of[-1]:.2f} s" for name, of in taken.items())
        print(f"round {number + 1} of {rounds}: {said}; {load()}", file=sys.stderr, flush=True)
    rates = {name: samples[name] / statistics.median(of) for name, of in taken.items()}
    return {
        **{f"{name}_samples_s": rate for name, rate in rates.items()},
        "ratio": rates["ours"] / rates["literal"],
        "frugal_ratio": rates["ours"] / rates["frugal"],
        "forward_share": statistics.median(shares),
    }


def load() -> str:
    return f"load {os.getloadavg()[0]:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--size", type=int, default=256, help="of the pictures, in pixels")
    parser.add_argument("--tiny", action="store_true", help="narrow networks, to try the benchmark itself")
    chosen = parser.parse_args()
    torch.manual_seed(0)
    backbone = whole_backbone(chosen.tiny)
    print(f"networks built; {load()}", file=sys.stderr, flush=True)
    hidden = (512, 256, 128, 64)
    triplets = RandomTriplets(chosen.batch, chosen.size)
    started = time.perf_counter()
    data = encode(backbone, triplets, lambda stage, done, total: None)
    encode_s = (time.perf_counter() - started) / chosen.batch
    print(f"encoded, {encode_s:.2f} s a triplet; {load()}", file=sys.stderr, flush=True)
    literal = LiteralTraining(backbone, hidden, triplets, 1, frozen=False)
    frugal = LiteralTraining(backbone, hidden, triplets, chosen.batch, frozen=True)
    ours = OurTraining(backbone, hidden, data, chosen.batch)
    found = measure(literal, frugal, ours, batch=chosen.batch, rounds=chosen.rounds)
    print(json.dumps(found | {"encode_s": encode_s}))


if __name__ == "__main__":
    main()
